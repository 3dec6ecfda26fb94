/** `millrace check`: the whole project, offline: nothing is opened, and every error is shown at once. */
import { type Declare, examples, type ProjectOptions, projectOptions } from '../command.ts'
import { EXIT, type Io } from '../io.ts'
import { loadProject } from '../project.ts'
import type { Finding } from '../project-error.ts'
import { findingLines } from '../render/error.ts'
import { countOf } from '../render/quantity.ts'
import { checkProject } from '../scripts.ts'

interface CheckOptions extends ProjectOptions {
  readonly json?: boolean
}

export const declareCheck: Declare = (command, io) => {
  projectOptions(command)
    .option('--json', 'one JSON object: counts and findings')
    .action((options: CheckOptions) => check(io, options))
  examples(command, 'millrace check', "millrace check --json | jq '.findings[].file'")
}

async function check(io: Io, options: CheckOptions): Promise<void> {
  const project = await loadProject(io, options)
  const { tables, views, pipelines, findings } = await checkProject(project)
  if (findings.length > 0) io.exitCode = EXIT.no
  const counts = { tables: tables.length, views: views.length, pipelines: pipelines.length }
  if (options.json) {
    io.out(JSON.stringify({ ...counts, findings: findings.map(withoutText) }))
    return
  }
  findings.forEach((finding, index) => {
    if (index > 0) io.err('')
    for (const line of findingLines(finding.text, io.errorStyle)) io.err(line)
  })
  const what = `${countOf(counts.tables, 'table')}, ${countOf(counts.views, 'view')}, ${countOf(counts.pipelines, 'pipeline')}`
  if (findings.length > 0) io.err('')
  if (findings.length > 0) io.err(io.errorStyle.bad(countOf(findings.length, 'error')))
  else io.out(`${io.style.good('valid')}  ${what}`)
}

function withoutText({ text: _text, ...finding }: Finding): Omit<Finding, 'text'> {
  return finding
}
