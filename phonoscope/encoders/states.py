"""Hidden states by hooks: what enters the first block, what leaves each block."""

from contextlib import ExitStack, contextmanager


@contextmanager
def taken(blocks, layers, final_norm=None, depth=None):
    """Collect hidden states while a model runs.

    ``output_hidden_states`` is not used because its last entry changed between releases of
    transformers from normalised to raw for the pre-norm families.

    Parameters
    ----------
    blocks : sequence of torch.nn.Module
        The transformer blocks, at least one.
    layers : list of int
        0 is what enters ``blocks[0]``; L is what leaves block L (counted from 1).
    final_norm : torch.nn.Module, optional
        If given, layer ``depth`` is what leaves this module instead of the last block.
    depth : int, optional
        Number of the layer that ``final_norm`` stands for.

    Yields
    ------
    dict of int to tensor of shape (batch, frames, dim)
        Filled by the forward pass that is run inside the block.
    """
    states = {}

    def entering(module, args, kwargs):
        states[0] = args[0] if args else kwargs["hidden_states"]

    def leaving(layer):
        def keep(module, args, output):
            states[layer] = output[0] if isinstance(output, tuple) else output

        return keep

    with ExitStack() as hooks:
        for layer in layers:
            if layer == 0:
                handle = blocks[0].register_forward_pre_hook(entering, with_kwargs=True)
            elif final_norm is not None and layer == depth:
                handle = final_norm.register_forward_hook(leaving(layer))
            else:
                handle = blocks[layer - 1].register_forward_hook(leaving(layer))
            hooks.callback(handle.remove)
        yield states
