"""What a shell loads to ask us what it may offer: one script for each of bash, zsh and fish.

    variable=bash_complete COMP_WORDS="sft get fi" COMP_CWORD=2 sft    ->  plain,finance/

Rules. What we answer is text to a shell, never code: nothing of it is expanded, split at blanks, or matched with files here. A
value may hold any character but those that break lines, which ``sft.cli.completing`` offers none of. Click reads what these
scripts ask by (``click.shell_completion``); its own scripts have bash match answers with files, and fish cut them at a comma.
"""

from __future__ import annotations

from typing import Final

# A folder, which one goes on typing after, has no blank behind it.
_BASH: Final = """\
_NAME_completion() {
    local line kind value
    COMPREPLY=()
    while IFS= read -r line; do
        kind=${line%%,*} value=${line#*,}
        case $kind in
            dir) compopt -o dirnames ;;
            file) compopt -o default ;;
            plain)
                COMPREPLY+=("$value")
                [[ $value == */ || $value == */\\' ]] && compopt -o nospace
                ;;
        esac
    done < <(COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD=$COMP_CWORD VARIABLE=bash_complete "$1" 2>/dev/null)
}
complete -o nosort -F _NAME_completion NAME
"""
# Three lines an answer: kind, value, what it is or "_".
_ZSH: Final = """\
#compdef NAME
_NAME_completion() {
    local kind value about
    local -a files folders described
    while IFS= read -r kind && IFS= read -r value && IFS= read -r about; do
        case $kind in
            dir) _path_files -/ ;;
            file) _path_files -f ;;
            plain)
                if [[ $about != _ ]]; then
                    described+=("$value:$about")
                elif [[ $value == */ ]]; then
                    folders+=("$value")
                else
                    files+=("$value")
                fi
                ;;
        esac
    done < <(COMP_WORDS="${words[*]}" COMP_CWORD=$((CURRENT-1)) VARIABLE=zsh_complete "${words[1]}" 2>/dev/null)
    (( $#described )) && _describe -V unsorted described -U
    (( $#folders )) && compadd -U -V unsorted -S '' -a folders
    (( $#files )) && compadd -U -V unsorted -a files
    return 0
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _NAME_completion "$@"
else
    compdef _NAME_completion NAME
fi
"""
_FISH: Final = """\
function _NAME_completion
    for line in (env VARIABLE=fish_complete COMP_WORDS=(commandline -cp) COMP_CWORD=(commandline -ct) NAME 2>/dev/null)
        set -l answer (string split -m 1 , -- $line)
        switch $answer[1]
            case dir
                __fish_complete_directories $answer[2]
            case file
                __fish_complete_path $answer[2]
            case plain
                printf '%s\\n' $answer[2]
        end
    end
end
complete --no-files --command NAME --arguments '(_NAME_completion)'
"""
SHELLS: Final = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}
PROGRAMS: Final = ("sft", "sftd")


def script_of(shell: str, name: str) -> str:
    """Return what a shell loads to complete a program's words.

    Args:
        shell: one of ``SHELLS``.
        name: of the program.
    """
    return SHELLS[shell].replace("NAME", name).replace("VARIABLE", variable_of(name))


def variable_of(name: str) -> str:
    """Return the variable of the environment by which a shell asks a program; click derives the same from its name."""
    return f"_{name.upper()}_COMPLETE"
