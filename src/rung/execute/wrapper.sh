# sh wrapper.sh ATTEMPT_DIR PROGRAM [ARGS...]      (ARCHITECTURE rule 7; no forks of its own)
# `started` is made exclusively and names this shell; the program runs in the foreground; its status is in `exit`.
# Exit status when nothing ran: 121 somebody else made `started`, 122 it could not be written.
set -Cf
trap : TERM INT HUP     # not '': the program gets the default dispositions back
_rung_dir=$1
shift
_rung_ticks() { _rung_started=${20}; }      # field 22 of stat, counted after "pid (comm) "
_rung_started=0 _rung_boot=
if [ -r /proc/$$/stat ]; then
    read -r _rung_stat < /proc/$$/stat
    _rung_ticks ${_rung_stat##*) }          # comm may hold blanks and parentheses
    read -r _rung_boot < /proc/sys/kernel/random/boot_id
fi
{ command exec 9> "$_rung_dir/started"; } 2> /dev/null || exit 121
{ printf '%s %s %s\n' $$ "$_rung_started" "$_rung_boot" >&9; } 2> /dev/null || exit 122
exec 9>&-
[ -s "$_rung_dir/started" ] || exit 122
"$@"
_rung_status=$?
printf %s $_rung_status 1<> "$_rung_dir/exit"
exit $_rung_status
