"""Where results are from: what each table was made of, and all of it as an RO-Crate.

Needs the tables. Makes results/provenance.json and, if it is asked for (`snakemake ro_crate`),
results/ro-crate.zip. What is in them comes from the records that Snakemake keeps of finished jobs in
.snakemake/metadata: what was done, not what would be done now. Commit, host and times are in the file
and in no parameter, so that nothing is made again because of them.
"""

from workflow.dag.configuration import checked

PROVENANCE = ["results/provenance.json"]

RESULTS += PROVENANCE


rule write_provenance:
    input:
        tables=results_among("tables", suffix=".csv"),
    output:
        PROVENANCE,
    log:
        "results/logs/write_provenance.log",
    benchmark:
        "results/benchmarks/write_provenance.tsv"
    localrule: True
    conda:
        "../../envs/provenance.yaml"
    resources:
        mem_mb=grow(2000),
        runtime=grow(30),
    params:
        *sources("workflow/scripts/write_provenance.py"),
        config=fixed(settings.canonical(checked(config, "config", "the config"))),
    script:
        "../scripts/write_provenance.py"


rule ro_crate:
    input:
        provenance=PROVENANCE[0],
        results=results_among("tables", "figures"),
        snakefile=shipped("Snakefile"),
    output:
        "results/ro-crate.zip",
    log:
        "results/logs/ro_crate.log",
    benchmark:
        "results/benchmarks/ro_crate.tsv"
    localrule: True
    conda:
        "../../envs/provenance.yaml"
    resources:
        mem_mb=grow(2000),
        runtime=grow(30),
    params:
        *sources("workflow/scripts/ro_crate.py"),
        config_files=fixed(settings.canonical(list(map(os.path.relpath, CONFIG_FILES)))),
    script:
        "../scripts/ro_crate.py"
