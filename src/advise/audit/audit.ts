/** All that is found in a pipeline, in the order of its text. */
import { DETECT_MISTAKES, type Detect } from './detect-mistakes.ts'
import { DETECT_OPERATION } from './detect-operation.ts'
import type { Found, PipelineFacts } from './facts.ts'
import { AUDIT_CODES, type AuditCode } from './rules.ts'

export interface FoundOfCode extends Found {
  readonly code: AuditCode
}

/** `SUPPRESSION_UNREASONED` is of comments, which facts do not have: who reads those tells it. */
const DETECT: Readonly<Partial<Record<AuditCode, Detect>>> = {
  ...DETECT_MISTAKES,
  ...DETECT_OPERATION,
}

export function auditPipeline(facts: PipelineFacts): FoundOfCode[] {
  return AUDIT_CODES.flatMap((code) =>
    (DETECT[code]?.(facts) ?? []).map((found) => ({ code, ...found })),
  ).toSorted((left, right) => left.at.offset - right.at.offset)
}
