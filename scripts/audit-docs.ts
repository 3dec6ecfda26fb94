/** Writes docs/audit: a page for each code of `millrace audit`, from the rules. `test/advise/audit.test.ts` holds them to the rules. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { AUDIT_CODES, type AuditCode, RULES } from '../src/advise/audit/rules.ts'
import {
  CLUSTER_CODES,
  CLUSTER_RULES,
  type ClusterCode,
} from '../src/advise/audit/rules-cluster.ts'

/** The page of a code. */
export function codePage(code: AuditCode): string {
  const { title, severity, why, remedy, isFixed, has, hasNot } = RULES[code]
  const example = hasBoth(code)
    ? ['## Has it', fenced(has), '## Has it not', fenced(hasNot)]
    : ['## An example', 'The delay of this table is 5 s, and 30 s were measured:', fenced(has)]
  return `${[
    `# ${code}`,
    `A ${severity} of [\`millrace audit\`](../audit.md): **${title}**.`,
    why,
    `**What to do.** ${remedy}${isFixed ? '' : ' There is no mechanical fix.'}`,
    ...example,
    `To keep it: \`-- audit: ignore ${code}: why\` above the line.`,
    'Made by `node scripts/audit-docs.ts` from `src/advise/audit`.',
  ].join('\n\n')}\n`
}

/** The page of a code that a running Kafka may have. */
export function clusterPage(code: ClusterCode): string {
  const { title, severity, why, remedy } = CLUSTER_RULES[code]
  return `${[
    `# ${code}`,
    `A ${severity} of [\`millrace audit --kafka\`](../audit.md#a-running-kafka): **${title}**.`,
    why,
    `**What to do.** ${remedy}`,
    'Made by `node scripts/audit-docs.ts` from `src/advise/audit`.',
  ].join('\n\n')}\n`
}

function clusterTable(): string {
  const rows = CLUSTER_CODES.map((code) => {
    const { severity, title } = CLUSTER_RULES[code]
    return `| [${code}](audit/${code}.md) | ${severity} | ${title} |`
  })
  return ['| code | severity | what |', '|---|---|---|', ...rows].join('\n')
}

/** The table of all codes, for docs/audit.md. */
function codesTable(): string {
  const rows = AUDIT_CODES.map((code) => {
    const { severity, title, isFixed } = RULES[code]
    return `| [${code}](audit/${code}.md) | ${severity} | ${title} | ${isFixed ? 'yes' : ''} |`
  })
  return ['| code | severity | what | `--fix` |', '|---|---|---|---|', ...rows].join('\n')
}

/** docs/audit.md with its table of codes. */
export function withCodes(page: string): string {
  return page
    .replace(
      /(<!-- codes:[^\n]*-->\n)[\s\S]*?(<!-- end -->)/,
      (_, start: string, end: string) => `${start}${codesTable()}\n${end}`,
    )
    .replace(
      /(<!-- codes of kafka:[^\n]*-->\n)[\s\S]*?(<!-- end -->)/,
      (_, start: string, end: string) => `${start}${clusterTable()}\n${end}`,
    )
}

function hasBoth(code: AuditCode): boolean {
  return RULES[code].has !== RULES[code].hasNot
}

function fenced(sql: string): string {
  return `\`\`\`sql\n${sql.trimEnd()}\n\`\`\``
}

if (import.meta.main) {
  mkdirSync('docs/audit', { recursive: true })
  for (const code of AUDIT_CODES) writeFileSync(`docs/audit/${code}.md`, codePage(code))
  for (const code of CLUSTER_CODES) writeFileSync(`docs/audit/${code}.md`, clusterPage(code))
  writeFileSync('docs/audit.md', withCodes(readFileSync('docs/audit.md', 'utf8')))
}
