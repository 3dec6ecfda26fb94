/** What all audits say in SARIF. @see SARIF 2.1.0, sections 3.13 (log), 3.19 (driver), 3.27 (result) */
import type { Severity } from './rule.ts'

interface SarifRule {
  readonly title: string
  readonly why: string
  readonly remedy: string
  readonly severity: Severity
}

interface Run<Finding> {
  /** Of Millrace. */
  readonly version: string
  readonly findings: readonly Finding[]
  /** Of the run, beside its tool and results. */
  readonly facts?: object
  /** What a result says beside its rule and level. */
  resultOf(finding: Finding): object
}

/** One run; the rules are those that were broken. */
export function sarifLog<
  Code extends string,
  Finding extends { readonly code: Code; readonly severity: Severity },
>(
  rules: Readonly<Record<Code, SarifRule>>,
  { version, findings, facts, resultOf }: Run<Finding>,
): object {
  const codes = [...new Set(findings.map(({ code }) => code))].sort()
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'millrace audit',
            semanticVersion: version,
            rules: codes.map((code) => ({
              id: code,
              shortDescription: { text: rules[code].title },
              fullDescription: { text: rules[code].why },
              help: { text: rules[code].remedy },
              defaultConfiguration: { level: rules[code].severity },
            })),
          },
        },
        ...facts,
        results: findings.map((finding) => ({
          ruleId: finding.code,
          ruleIndex: codes.indexOf(finding.code),
          level: finding.severity,
          ...resultOf(finding),
        })),
      },
    ],
  }
}
