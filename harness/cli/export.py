"""`harness export`: put a model's scores into its card."""

from __future__ import annotations

import click

from harness.cli.options import PluginOptions, plugin_options
from harness.cli.usage import Choice


@click.command(name="export")
@click.argument("model", metavar="MODEL")
@click.option("--format", "form", type=Choice(["model-index"]), default="model-index", show_default=True)
@click.option(
    "--results",
    "folder",
    default="results/local",
    show_default=True,
    metavar="DIR",
    help="Folder that `harness run --out` wrote.",
)
@click.option("--model", "name", metavar="NAME", help="The model's name in the results, where several fit.")
@click.option("--out", metavar="FILE", help="Write this card instead of README.md in the model's folder.")
@plugin_options
def command(
    model: str, *, form: str, folder: str, name: str | None, out: str | None, plugins: PluginOptions
) -> None:
    """Put the scores of a model into its card: README.md of its folder.

    The front matter gets a `model-index`, as the Hugging Face hub reads it, the body a table with
    intervals. Entries of other sources, all other front matter and the body stay as they are; those of
    harness are replaced. Samples and limited runs are marked as such in the card.

    The results are those of the model's very content: a folder that was changed since is an error.

    Exit codes: 0 the card holds the scores, 2 it could not be written.
    """
    from harness.cli.output import console, say
    from harness.cli.workspace import Workspace
    from harness.evaluation.export_card import export_card
    from harness.system.paths import shown_path, user_path

    assert form == "model-index"  # noqa: S101 - the one format so far
    schemes = Workspace.open(plugins).plugins.model_schemes()
    exported = export_card(
        model, user_path(folder), schemes, name=name, card=user_path(out) if out is not None else None
    )
    for remark in exported.remarks:
        say(f"note: {remark}", console())
    done = "written" if exported.changed else "unchanged"
    say(f"{done}: {shown_path(exported.card)}: {exported.summary}", console())
