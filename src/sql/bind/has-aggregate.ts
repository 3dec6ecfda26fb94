/** Where an expression as written aggregates rows: its query then has groups. */
import { aggregateNamed } from '../../plan/functions/registry.ts'
import type { ExpressionSyntax } from '../syntax.ts'

export function hasAggregate(syntax: ExpressionSyntax): boolean {
  switch (syntax.kind) {
    case 'call': {
      const { name, args, over } = syntax.call
      // What stands with OVER is of rows, but may be of groups' rows: SUM(COUNT(*)) OVER (ORDER BY MAX(ts)).
      const isAggregate = over === undefined && aggregateNamed(name.name) !== undefined
      const inOver =
        over === undefined ? [] : [...over.partition, ...over.order.map((each) => each.expression)]
      return isAggregate || [...args, ...inOver].some(hasAggregate)
    }
    case 'operator':
      return syntax.args.some(hasAggregate)
    case 'constructor':
      return syntax.items.some(hasAggregate)
    case 'cast':
    case 'field':
    case 'in-query':
      return hasAggregate(syntax.input)
    case 'in':
      return hasAggregate(syntax.input) || syntax.list.some(hasAggregate)
    case 'between':
      return [syntax.input, syntax.low, syntax.high].some(hasAggregate)
    case 'case':
      return (
        [syntax.operand, syntax.otherwise].some(
          (each) => each !== undefined && hasAggregate(each),
        ) ||
        syntax.branches.some((branch) => hasAggregate(branch.when) || hasAggregate(branch.then))
      )
    default:
      return false
  }
}
