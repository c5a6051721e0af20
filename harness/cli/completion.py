"""`harness completion`: print the script with which a shell completes commands, options and names."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from harness.cli import COMPLETES
from harness.cli.usage import Choice

_INSTALLED = {
    "bash": ("~/.bashrc", 'eval "$(harness completion bash)"'),
    "zsh": ("~/.zshrc, below compinit", 'eval "$(harness completion zsh)"'),
    "fish": ("a shell, once", "harness completion fish > ~/.config/fish/completions/harness.fish"),
}
"""Shell → where its line goes, and the line."""


@click.command(name="completion")
@click.argument("shell", type=Choice(list(_INSTALLED), "shell with completion"))
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Print the script that completes commands, options, and names of tasks and models.

    \b
    bash   in ~/.bashrc:  eval "$(harness completion bash)"
    zsh    in ~/.zshrc, below compinit:  eval "$(harness completion zsh)"
    fish   once:  harness completion fish > ~/.config/fish/completions/harness.fish
    """  # noqa: D301 - click reads the character, not its escape
    from harness.cli.output import echo

    echo(completion_script(context.find_root().command, shell))


def completion_script(program: click.Command, shell: str) -> str:
    """Return click's script for a shell, with a comment that says how to install it."""
    found = get_completion_class(shell)
    if found is None:
        raise LookupError(shell)  # the shells that are a choice are click's own
    completion = found(program, {}, "harness", COMPLETES)
    # Not `source()`, which starts a shell to ask its version.
    script = (completion.source_template % completion.source_vars()).strip()
    place, line = _INSTALLED[shell]
    comment = f"# In {place}: {line}"
    # zsh takes a file of its path of functions by its first line.
    first, _, rest = script.partition("\n")
    lines = [first, comment, rest] if first.startswith("#compdef") else [comment, script]
    return "\n".join(lines) + "\n"
