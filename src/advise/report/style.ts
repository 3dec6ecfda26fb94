/** The look of the HTML report. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5b6675; --line: #dde2e8; --paper: #fff; --panel: #f5f7f9;
  --batch: #1a7f5a; --micro: #9a6700; --stream: #0a61c9; --other: #b4552d; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaf0; --soft: #98a3b3; --line: #2c3541; --paper: #12171e; --panel: #1a212b;
  --batch: #4cc38a; --micro: #e0a83c; --stream: #6cb0ff; --other: #f0916a; } }
* { box-sizing: border-box }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, sans-serif }
main { max-width: 920px; margin: 0 auto; padding: 40px 24px 64px }
.kicker { margin: 0; color: var(--soft) }
h1 { margin: 4px 0 20px; font-size: 2rem; line-height: 1.2 }
h2 { margin: 48px 0 12px; padding-bottom: 6px; border-bottom: 1px solid var(--line); font-size: 1.35rem }
h3 { margin: 24px 0 8px; font-size: 1.05rem } h4 { margin: 0 }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(220px, 1fr)); gap: 12px 24px; margin: 0; padding: 20px; background: var(--panel); border-radius: 10px }
dt { color: var(--soft); font-size: .8rem } dd { margin: 0; font-weight: 600 }
.verdict { display: inline-block; padding: 0 .5em; border: 2px solid currentColor; border-radius: 6px; font-size: .8em; font-weight: 700 }
.verdict.batch { color: var(--batch) } .verdict.micro-batch { color: var(--micro) } .verdict.streaming { color: var(--stream) }
.priorities { padding-left: 1.4em; font-size: 1.05rem } li { margin: 4px 0 }
article { margin: 12px 0; padding: 4px 20px 12px; background: var(--panel); border-radius: 10px }
.trail { color: var(--soft) } .asked { margin: 4px 0 }
.source, figcaption, footer { color: var(--soft); font-size: .85rem } .says { font-weight: 600 }
.sides { display: grid; grid-template-columns: 1fr 1fr; gap: 20px }
.scroll { overflow-x: auto } table { width: 100%; border-collapse: collapse; font-size: .9rem }
th { text-align: left; color: var(--soft); font-weight: 500 } th, td { padding: 7px 12px 7px 0; border-bottom: 1px solid var(--line); vertical-align: top }
th, .nowrap { white-space: nowrap } td small { display: block; color: var(--soft) } tfoot td { font-weight: 700; border-bottom: 0 }
figure { margin: 16px 0 } svg { width: 100%; height: auto; font: 12px system-ui, sans-serif }
svg .grid { stroke: var(--line) } svg .axis { fill: var(--soft) } svg .value { fill: var(--ink); font-weight: 600 }
svg path { fill: none; stroke-width: 2.5 } svg path.best { stroke: var(--stream) } svg path.managed { stroke: var(--other); stroke-dasharray: 6 5 }
svg circle.best { fill: var(--stream) } svg circle.managed { fill: var(--other) } svg .first { fill: var(--stream) } svg .bar { fill: var(--soft); opacity: .55 }
.key { display: inline-block; width: 14px; height: 4px; margin: 0 4px 3px 12px } .key.best { background: var(--stream) } .key.managed { background: var(--other) }
code { font: .9em ui-monospace, monospace } pre { padding: 14px; overflow-x: auto; background: var(--panel); border-radius: 8px; line-height: 1.45 }
summary { cursor: pointer } footer { margin-top: 48px }
@media print { :root { --paper: #fff; --ink: #000; --panel: #fff; --line: #bbb; --soft: #444 } main { max-width: none; padding: 0 } body { font-size: 11pt }
  section, article, tr, figure { break-inside: avoid } section { break-inside: auto } article, .facts, pre { border: 1px solid var(--line) } .scroll, pre { overflow: visible } pre { white-space: pre-wrap } }
`
