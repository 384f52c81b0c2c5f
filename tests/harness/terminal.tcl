# terminal.tcl: what `type-login` and `type-enrollment` share.

# Whether all programs in the foreground of the terminal sleep: what has written a prompt then waits for its answer.
proc sleeping {pid} {
	if {[catch {set file [open /proc/$pid/stat]}]} { return 1 }
	set stat [read $file]
	close $file
	if {![regexp {\) . \d+ \d+ \d+ \d+ (-?\d+)} $stat -> foreground]} { return 1 }
	foreach path [glob -nocomplain {/proc/[0-9]*/stat}] {
		if {[catch {set file [open $path]}]} continue
		if {[catch {read $file} stat]} { set stat "" }
		close $file
		if {[regexp {\) (.) \d+ (\d+)} $stat -> state group] && $group == $foreground && $state ne "S"} { return 0 }
	}
	return 1
}

# Types text at a prompt without echo. Programs throw away what was typed before they switched the echo off, and some of
# them (vlock) once more when they begin to read.
proc unseen {text} {
	global spawn_out spawn_id
	for {set tries 0} {$tries < 2000} {incr tries} {
		if {[catch {exec stty -a -F $spawn_out(slave,name)} terminal]} break
		if {[string match "* -echo *" $terminal] && [sleeping [exp_pid -i $spawn_id]]} break
		after 5
	}
	send -- $text
}
