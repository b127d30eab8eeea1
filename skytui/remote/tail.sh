# Follow a log by name. POSIX sh, with a tail that knows -F; run as
#   sh -c TEXT skytui FILE MARK
# First the last 200 lines there are now, then a line of MARK, the file's inode and its size, then everything
# that is written from there on, over rotation and truncation.
file=$1
size=0 inode=0
if [ -f "$file" ]; then
    read -r inode rest <<END
$(ls -i "$file")
END
    size=$(($(wc -c <"$file")))
    head -c "$size" "$file" | tail -n 200
fi
printf '\n%s %s %s\n' "$2" "$inode" "$size"
exec tail -c "+$((size + 1))" -F "$file" 2>/dev/null
