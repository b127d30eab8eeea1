"""How the page looks: in light and dark, on a screen of any width, and on paper."""

STYLE = """\
:root { color-scheme: light dark; --line: #8886; --quiet: #555; --sky: #0072b2; --ground: #8881; }
@media (prefers-color-scheme: dark) { :root { --quiet: #bbb; --sky: #56b4e9; } }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 75rem; padding: 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; margin-top: 2rem; border-bottom: 1px solid var(--line); }
a { color: var(--sky); }
nav ul { display: flex; flex-wrap: wrap; gap: 0 1rem; list-style: none; padding: 0; }
.table { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
caption, figcaption { text-align: left; color: var(--quiet); padding: .25rem 0; }
th, td { border: 1px solid var(--line); padding: .25rem .5rem; text-align: left; vertical-align: top; }
thead th { background: var(--ground); }
tbody th { font-weight: 600; }
td { overflow-wrap: anywhere; }
figure { margin: 1rem 0; }
pre { background: var(--ground); overflow-x: auto; padding: .5rem; margin: 0; }
@media print {
  body { font-size: 9pt; max-width: none; padding: 0; }
  nav { display: none; }
  .table, pre { overflow: visible; }
  pre { white-space: pre-wrap; overflow-wrap: anywhere; }
  thead { display: table-header-group; }
  tr, figure { break-inside: avoid; }
  h2 { break-after: avoid; }
}
"""
