"""Hidden states of a batch during training, the same for every utterance as without the others."""


def last_states(network, audio, lengths):
    """Last hidden state of a wav2vec 2.0-like model for a padded batch.

    A front end with group norm takes its statistics over time, padding included; its convolutions
    therefore run utterance by utterance, and only the blocks on the padded batch, with a mask.

    Parameters
    ----------
    network : transformers Wav2Vec2Model, HubertModel, WavLMModel
    audio : float tensor of shape (batch, n_samples)
        Padded with zeros.
    lengths : int tensor of shape (batch,)
        Samples that are real.

    Returns
    -------
    states : float tensor of shape (batch, n_frames, hidden_size)
    frames : int tensor of shape (batch,)
        Frames that are real.
    """
    import torch
    from torch.nn.utils.rnn import pad_sequence

    frames = network._get_feat_extract_output_lengths(lengths)
    if network.config.feat_extract_norm == "group":
        parts = [network.feature_extractor(one[None, :n])[0].T for one, n in zip(audio, lengths, strict=True)]
        features = pad_sequence(parts, batch_first=True)
    else:
        features = network.feature_extractor(audio).transpose(1, 2)
    mask = torch.arange(features.shape[1], device=frames.device)[None] < frames[:, None]
    hidden = network.feature_projection(features)
    hidden = hidden[0] if isinstance(hidden, tuple) else hidden
    hidden = network._mask_hidden_states(hidden, attention_mask=mask)
    return network.encoder(hidden, attention_mask=mask).last_hidden_state, frames


def padded(audios):
    """A list of float32 arrays as a tensor of shape (batch, longest), and their lengths."""
    import torch
    from torch.nn.utils.rnn import pad_sequence

    lengths = torch.tensor([len(each) for each in audios])
    return pad_sequence([torch.from_numpy(each) for each in audios], batch_first=True), lengths
