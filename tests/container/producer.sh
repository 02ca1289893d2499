#!/bin/sh
# What a sensor does in its container: files that only it may read are written, appended to, moved and linked, without end.
umask 077
cd "$1" || exit 1
n=0
name() { echo "extract-1258867934.558264-HTTP-F$1$(tr -d - </proc/sys/kernel/random/uuid)"; }
trap 'exit 0' TERM
while :; do
	n=$((n + 1))
	mkdir -p "day$((n % 7))/hour$((n % 3))"
	echo "written $n" >"$(name w)"
	path=day$((n % 7))/hour$((n % 3))/$(name a)
	{ echo "first $n"; echo "second $n"; } >"$path"
	moved=$(name m)
	echo "moved $n" >"$moved.part"
	mv "$moved.part" "day$((n % 7))/$moved"
	ln "$path" "$(name l)"
	mkdir "new$n.part" && echo "in a new directory $n" >"new$n.part/$(name d)" && mv "new$n.part" "new$n"
done
