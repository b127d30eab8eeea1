# Follow a log by name. POSIX sh, with a tail that knows -F; run as
#   sh -c TEXT skytui FILE MARK
# First the last 200 lines there are now, then a line that is MARK, then everything that is written from there
# on, over rotation and truncation.
file=$1
size=0
[ ! -f "$file" ] || size=$(($(wc -c <"$file")))
[ "$size" -eq 0 ] || head -c "$size" "$file" | tail -n 200
printf '\n%s\n' "$2"
exec tail -c "+$((size + 1))" -F "$file" 2>/dev/null
