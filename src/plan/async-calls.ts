/**
 * Calls of asynchronous functions taken out of expressions: operators compute at once, so that what must be waited for stands in a node
 * of its own below, which gives its answer as a column.
 */
import { conjunctionOf, conjunctsOf } from './conjuncts.ts'
import type { Expression } from './expressions.ts'
import { userFunctionName } from './functions/user.ts'
import { inputsOf, withInputs } from './inputs.ts'
import {
  type AsyncCall,
  type Correlate,
  type Filter,
  type PlanNode,
  type Project,
  schemaOf,
} from './nodes.ts'
import type { RefusedCall } from './user-calls.ts'

/** `refuse` is told of calls that stand where none can be waited for. */
export function withAsyncCalls(
  root: PlanNode,
  isAsync: (id: string) => boolean,
  refuse: (call: RefusedCall) => void,
): PlanNode {
  const rewritten = (node: PlanNode): PlanNode => {
    const inputs = inputsOf(node).map(rewritten)
    const over = withInputs(node, inputs)
    const id = asyncIn(node, isAsync)
    if (id === undefined) return over
    if (over.kind === 'project') return ofProject(over, isAsync)
    if (over.kind === 'filter') return ofFilter(over, isAsync)
    if (over.kind === 'correlate' && over.condition === undefined) return ofCorrelate(over, isAsync)
    refuse(misplaced(node, id))
    return over
  }
  // What a watermark is made of is a source's: nothing can be waited for there.
  const visited = (node: PlanNode): PlanNode => {
    if (node.kind !== 'watermark-assigner') return withInputs(node, inputsOf(node).map(visited))
    for (let below: PlanNode = node; ; below = inputsOf(below)[0]!) {
      const id = asyncIn(below, isAsync)
      if (id !== undefined) refuse(misplaced(node, id))
      if (inputsOf(below).length === 0) return node
    }
  }
  return rewritten(visited(root))
}

/** An asynchronous function that the node itself calls. */
function asyncIn(node: PlanNode, isAsync: (id: string) => boolean): string | undefined {
  const {
    input: _,
    left: __,
    right: ___,
    inputs: ____,
    ...own
  } = { ...node } as Record<string, unknown>
  return calls(own).find(isAsync)
}

/** Users' functions that are called in it, by id. */
function calls(within: unknown): readonly string[] {
  const ids = JSON.stringify(within).matchAll(/"kind":"call","function":"(USER [^"]*)"/g)
  return [...ids].map(([, id]) => id!)
}

function misplaced(node: PlanNode, id: string): RefusedCall {
  const name = userFunctionName(id)
  return {
    function: name,
    message: `${name} is asynchronous, and ${node.kind} can't wait for it`,
    hint: `compute it in a query before: SELECT *, ${name}(...) AS answer FROM t; then use the column`,
  }
}

/** Answers as columns behind those of an input. */
class Answers {
  readonly #isAsync: (id: string) => boolean
  readonly #known = new Map<string, Expression>()
  node: PlanNode

  constructor(input: PlanNode, isAsync: (id: string) => boolean) {
    this.node = input
    this.#isAsync = isAsync
  }

  /** `expression` with columns in place of calls. */
  readonly of = (expression: Expression): Expression => {
    switch (expression.kind) {
      case 'column':
      case 'literal':
        return expression
      case 'cast':
      case 'field':
        return { ...expression, input: this.of(expression.input) }
      case 'case':
        return {
          ...expression,
          branches: expression.branches.map((branch) => ({
            when: this.of(branch.when),
            // biome-ignore lint/suspicious/noThenProperty: SQL's own word, and no promise
            then: this.of(branch.then),
          })),
          otherwise: this.of(expression.otherwise),
        }
      case 'call': {
        const call = { ...expression, args: expression.args.map(this.of) }
        return this.#isAsync(call.function) ? this.#answer(call) : call
      }
    }
  }

  #answer(call: Extract<Expression, { kind: 'call' }>): Expression {
    const text = JSON.stringify([call.function, call.args])
    const known = this.#known.get(text)
    if (known !== undefined) return known
    const schema = schemaOf(this.node)
    const name = `${userFunctionName(call.function)}$${this.#known.size}`
    const node: AsyncCall = {
      kind: 'async-call',
      input: this.node,
      function: call.function,
      args: call.args,
      schema: [...schema, { name, type: call.type }],
    }
    this.node = node
    const column: Expression = { kind: 'column', index: schema.length, type: call.type }
    this.#known.set(text, column)
    return column
  }
}

function ofProject(node: Project, isAsync: (id: string) => boolean): PlanNode {
  const answers = new Answers(node.input, isAsync)
  const expressions = node.expressions.map(answers.of)
  return { ...node, input: answers.node, expressions }
}

/** What can be known without asking is: nothing is asked for rows that it leaves out. */
function ofFilter(node: Filter, isAsync: (id: string) => boolean): PlanNode {
  const conjuncts = conjunctsOf(node.condition)
  const asks = (each: Expression): boolean => calls(each).some(isAsync)
  const known = conjunctionOf(conjuncts.filter((each) => !asks(each)))
  const input = known === undefined ? node.input : filtered(node.input, known)
  const answers = new Answers(input, isAsync)
  const condition = answers.of(conjunctionOf(conjuncts.filter(asks))!)
  const filter = filtered(answers.node, condition)
  return picked(filter, schemaOf(node).length, schemaOf(node).length, node)
}

function filtered(input: PlanNode, condition: Expression): Filter {
  return { kind: 'filter', input, condition }
}

function ofCorrelate(node: Correlate, isAsync: (id: string) => boolean): PlanNode {
  const answers = new Answers(node.input, isAsync)
  const args = node.args.map(answers.of)
  const width = schemaOf(node.input).length
  const schema = [...schemaOf(answers.node), ...node.schema.slice(width)]
  const correlate: Correlate = { ...node, input: answers.node, args, schema }
  return picked(correlate, width, schemaOf(answers.node).length, node)
}

/** The first columns, as many as stood before, and those from `next` on: without the answers between. */
function picked(input: PlanNode, before: number, next: number, as: PlanNode): PlanNode {
  const schema = schemaOf(as)
  const expressions = schema.map(({ type }, index): Expression => {
    return { kind: 'column', index: index < before ? index : next + index - before, type }
  })
  return { kind: 'project', input, expressions, schema }
}
