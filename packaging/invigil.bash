# bash completion for invigil(8); what it offers is what `invigil help` and `invigil help COMMAND` print.
_invigil() {
	local cur prev words cword
	_init_completion || return
	if [ "$cword" = 1 ]; then
		COMPREPLY=($(compgen -W "$(invigil help 2>/dev/null | awk '/^  [a-z]/ { print $1 }')" -- "$cur"))
		return
	fi
	case $prev in
	--fail-on) COMPREPLY=($(compgen -W "low medium high critical never" -- "$cur")) ;;
	--env-reads) COMPREPLY=($(compgen -W "off c all" -- "$cur")) ;;
	--gate) COMPREPLY=($(compgen -W "exec mmap off" -- "$cur")) ;;
	-u | --user) COMPREPLY=($(compgen -u -- "$cur")) ;;
	*)
		case $cur in
		-*) COMPREPLY=($(compgen -W "$(invigil help "${words[1]}" 2>/dev/null | grep -oE -- '--[a-z-]+|^ +-[a-z]\b')" -- "$cur")) ;;
		*) _filedir ;;
		esac
		;;
	esac
}
complete -F _invigil invigil
