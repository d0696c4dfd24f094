# bash completion for invigil(8): what it offers is what the program itself prints, so it cannot differ from its option table.
_invigil() {
	local cur prev words cword offered=
	_init_completion || return
	if [ "$cword" = 1 ]; then
		COMPREPLY=($(compgen -W "$(invigil help 2>/dev/null | awk '/^  [a-z]/ { print $1 }')" -- "$cur"))
		return
	fi
	if [ "${words[1]}" = help ]; then
		COMPREPLY=($(compgen -W "$(invigil help 2>/dev/null | awk '/^  [a-z]/ { print $1 }')" -- "$cur"))
		return
	fi
	case $prev in
	-u | --user)
		COMPREPLY=($(compgen -u -- "$cur"))
		return
		;;
	-*)
		# "[--format text|json]" of the usage; else, without a COMMAND nothing is started, a wrong word is told what is right.
		offered=$(invigil help "${words[1]}" 2>/dev/null | sed -n "1s/.*\[$prev \([a-z|]*\)\].*/\1/p" | tr '|' ' ')
		[ -n "$offered" ] || offered=$(invigil run "$prev" '?' 2>&1 | sed -n 's/.* unknown .* (\(one of\)*\(.*\))$/\2/; t ok; d; :ok; s/,\| or / /gp; t; p')
		;;
	esac
	if [ -n "$offered" ]; then
		COMPREPLY=($(compgen -W "$offered" -- "$cur"))
		return
	fi
	case $cur in
	-*) COMPREPLY=($(compgen -W "$(invigil help "${words[1]}" 2>/dev/null | awk 'NR > 2 { for (i = 1; i <= 2; i++) if ($i ~ /^-/) { sub(",", "", $i); print $i } }')" -- "$cur")) ;;
	*) _filedir ;;
	esac
}
complete -F _invigil invigil
