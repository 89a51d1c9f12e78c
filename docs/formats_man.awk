# Makes the manual page assistify-formats(5) from docs/formats.md: awk -v version=1.0 -f formats_man.awk formats.md
# It knows what that file has: headings, paragraphs, lists, code blocks, tables, `code`, [links](to). A table becomes a
# list: the first cell stands before, the others behind, with the names of their columns when there are several.

function roff(text,    out, start, width) {
  gsub(/\\\|/, "|", text) # in a table
  gsub(/\\/, "\\e", text)
  gsub(/-/, "\\-", text)
  out = ""
  while (match(text, /`[^`]*`/)) {
    start = RSTART # links() matches too
    width = RLENGTH
    out = out links(substr(text, 1, start - 1)) "\\fB" substr(text, start + 1, width - 2) "\\fR"
    text = substr(text, start + width)
  }
  return out links(text)
}

# The text of a link stands for it.
function links(text,    label) {
  while (match(text, /\[[^]]*\]\([^)]*\)/)) {
    label = substr(text, RSTART + 1, index(substr(text, RSTART), "](") - 2)
    text = substr(text, 1, RSTART - 1) label substr(text, RSTART + RLENGTH)
  }
  return text
}

function put(text) {
  if (text ~ /^[.']/) text = "\\&" text
  print text
}

# Cells of a row; a `|` that is escaped is none of their ends.
function split_row(row, cells,    count, i) {
  gsub(/\\\|/, "\001", row)
  sub(/^[|][ \t]*/, "", row)
  sub(/[ \t]*[|][ \t]*$/, "", row)
  count = split(row, cells, /[ \t]*[|][ \t]*/)
  for (i = 1; i <= count; i++) gsub("\001", "|", cells[i])
  return count
}

BEGIN {
  print ".TH ASSISTIFY\\-FORMATS 5 \"\" \"assistify " version "\" \"File Formats\""
  print ".SH NAME"
  print "assistify\\-formats \\- files, streams and tables that assistify reads and writes"
}

/^```/ {
  in_code = !in_code
  print in_code ? (after == "heading" ? "" : ".PP\n") ".nf" : ".fi"
  after = ""
  next
}
in_code {
  gsub(/\\/, "\\e")
  gsub(/-/, "\\-")
  put($0)
  next
}

!/^\|/ { in_table = 0 }

/^#/ { after = "heading" }
/^# / {
  print ".SH DESCRIPTION"
  next
}
/^## / {
  print ".SH \"" toupper(plain(substr($0, 4))) "\""
  next
}
/^###* / {
  sub(/^#* /, "")
  print ".SS \"" plain($0) "\""
  next
}

# Headings: no fonts, and a quote would end them.
function plain(text) {
  gsub(/`/, "", text)
  text = roff(text)
  gsub(/"/, "\\(dq", text)
  return text
}

/^\|/ {
  count = split_row($0, cells)
  if (!in_table) {
    in_table = 1
    columns = split_row($0, names)
    next
  }
  if ($0 ~ /^[|: -]*$/) next
  print ".TP"
  put(roff(cells[1] == "" ? "-" : cells[1]))
  line = ""
  for (i = 2; i <= count; i++) {
    if (cells[i] == "") continue
    line = line (line == "" ? "" : "; ") (columns > 2 && names[i] != "" ? names[i] ": " : "") cells[i]
  }
  put(line == "" ? "\\&" : roff(line))
  after = "table"
  next
}

/^- / {
  print ".IP \\(bu 2"
  put(roff(substr($0, 3)))
  after = "list"
  next
}
/^[ \t]*$/ {
  blank = 1
  next
}

{
  if (blank && !(after == "list" && $0 ~ /^ /)) {
    if (after != "heading") print ".PP"
    after = ""
  }
  blank = 0
  sub(/^[ \t]+/, "")
  put(roff($0))
}
END { print ".SH SEE ALSO\n\\fBassistify\\fR(1)" }
