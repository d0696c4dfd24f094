#!/bin/bash
# sudo.sh: under sudo COMMAND runs as the user who called it, who cannot steer what root does; -u; owners of outputs.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

if ! command -v sudo >/dev/null; then
	test_begin "sudo"
	fail "sudo is not installed"
	finish
fi
# A user for this test alone, who may sudo, in a second group.
user=ivgtest$$ group=ivgmore$$
sudoers=/etc/sudoers.d/$user
leave() {
	rm -f "$sudoers"
	userdel -r "$user" 2>/dev/null
	groupdel "$group" 2>/dev/null
	cleanup
}
trap leave EXIT
if ! groupadd "$group" || ! useradd -m -d "$work/home" -s /bin/bash -G "$group" "$user"; then
	test_begin "a user for the test"
	fail "cannot be made"
	finish
fi
printf '%s ALL=(ALL) NOPASSWD:SETENV: ALL\n' "$user" >"$sudoers"
chmod 440 "$sudoers"
mkdir -m 755 "$work/bin"
cp "$invigil" "$work/bin/invigil"
mkdir -m 1777 "$work/shared"
cd "$work/home" || exit 1
# As the documentation says it, from a login of that user.
as() { # COMMAND...
	setpriv --reuid="$user" --regid="$user" --init-groups env -i HOME="$work/home" USER="$user" LOGNAME="$user" TERM=dumb \
		PATH="$work/bin:/usr/bin:/bin" "$@"
}
recipe() { # [VARIABLE=VALUE...] -- ARGUMENTS OF RUN...
	local set=()
	while [ "$1" != -- ]; do
		set+=("$1")
		shift
	done
	shift
	# shellcheck disable=SC2016
	as CI=true "${set[@]}" sh -c 'exec sudo -E env PATH="$PATH" invigil run "$@"' sh "$@" 2>"$work/err"
}

check "the recipe runs" status_is 0 recipe -- -o "$work/home/ev" -- sh -c 'id -u; id -G; echo "$HOME $USER $LOGNAME $CI"; umask'
cp "$work/out" "$work/said"
check "COMMAND is the user, with the user's groups and home" bash -c "diff '$work/said' <(
	id -u $user; id -G $user; echo '$work/home $user $user true'; setpriv --reuid=$user --regid=$user --init-groups sh -c umask)"
see "and so it says" 'get(ev[0], "invigil.run.user.name", get(ev[0], "user.name", get(ev[0], "invigil.run.user"))) == "'"$user"'"' "$work/home/ev"
check "the output is root's, the group the user's, 0640" bash -c "[ \"\$(stat -c %U:%G:%a '$work/home/ev')\" = root:$user:640 ]"
check "the user can read it" as cat "$work/home/ev"
check "nothing is said of a stripped environment" bash -c "! grep -q stripped '$work/err'"
# setpriv gives sudo a bare environment, and sudo its secure_path.
as sudo invigil run -o "$work/home/ev" -- true 2>"$work/err" || as sudo "$work/bin/invigil" run -o "$work/home/ev" -- true 2>"$work/err"
check "a stripped environment is said once" bash -c "[ \$(grep -c stripped '$work/err') = 1 ]"
check "-u root stays root" bash -c "[ \"\$(cat)\" = 0 ]" < <(recipe -- -q -u root -- id -u)
check "-u of an unknown user is 125" status_is 125 recipe -- -u no-such-user-xyz -- touch "$work/shared/started"
check "and is named" grep -q no-such-user-xyz "$work/err"
for v in CONFIG OUTPUT RECORD USER POLICY SARIF; do
	check "INVIGIL_$v is refused under sudo" status_is 125 recipe "INVIGIL_$v=$work/shared/x" -- -- touch "$work/shared/started"
	check "and is named" grep -q "INVIGIL_$v" "$work/err"
done
check "near miss: INVIGIL_QUIET is not" status_is 0 recipe INVIGIL_QUIET=1 -- -o "$work/home/ev" -- true
check "and is heard" bash -c "! grep -q . '$work/err'"

# What the user may not write, root does not write for the user.
as ln -s "$work/victim" "$work/shared/link"
check "a link in a directory that others can write is refused" status_is 125 recipe -- -o "$work/shared/link" -- touch "$work/shared/started"
check "an output where the user may not write is refused" status_is 125 recipe -- -o "$work/bin/ev" -- touch "$work/shared/started"
echo mine >"$work/shared/root-file"
check "root's own file is not overwritten for the user" status_is 125 recipe -- -o "$work/shared/root-file" -- touch "$work/shared/started"
check "it is as it was" grep -qx mine "$work/shared/root-file"
check "nothing was followed, written or started" bash -c "[ ! -e '$work/victim' ] && [ ! -e '$work/bin/ev' ] && [ ! -e '$work/shared/started' ]"
check "an output of an earlier run is replaced" status_is 0 recipe -- -q -o "$work/home/ev" -- true
cd "$root" || exit 1
finish
