/** A script statement by statement: what it declares, what it sets, what it runs. One wrong statement does not hide the next. */
import type { Connector } from '../../connectors/contract/connector.ts'
import { withAsyncCalls } from '../../plan/async-calls.ts'
import { withUserFunctions } from '../../plan/functions/registry.ts'
import { type UserFunctionType, userFunctionId } from '../../plan/functions/user.ts'
import type { PlanNode, SinkNode } from '../../plan/nodes.ts'
import type { Pipeline } from '../../plan/pipeline.ts'
import { pruneColumns } from '../../plan/prune.ts'
import { simplifyPlans } from '../../plan/simplify.ts'
import type { TableDefinition } from '../../plan/tables.ts'
import { type RefusedCall, refusedCall, repeatedUid } from '../../plan/user-calls.ts'
import type { Place } from '../place.ts'
import { SqlError } from '../sql-error.ts'
import type { CreateFunction, Insert, Statement } from '../statements.ts'
import type { QualifiedName, QuerySyntax } from '../syntax.ts'
import { bindInsert } from './bind-insert.ts'
import { bindQuery } from './bind-query.ts'
import { bindTable } from './bind-table.ts'
import { AlreadyTold, type Catalog, nameText, unknownTable } from './catalog.ts'
import { type Relation, renamed } from './scope.ts'

export interface BoundStatements {
  readonly tables: readonly TableDefinition[]
  readonly views: readonly { readonly name: string; readonly relation: Relation }[]
  /** All INSERTs of the script: they run as one. */
  readonly pipeline: Pipeline | undefined
  /** SELECTs that stand alone, in order. */
  readonly queries: readonly PlanNode[]
  readonly errors: readonly SqlError[]
}

export interface BindOptions {
  readonly connectors: readonly Connector[]
  /** Of the pipeline, unless the script SETs 'pipeline.name'. */
  readonly name: string
  /** Of the modules that the script names, by `module#export`. */
  readonly functions?: ReadonlyMap<string, UserFunctionType>
}

export function bindScript(
  statements: readonly Statement[],
  { connectors, name, functions = new Map() }: BindOptions,
): BoundStatements {
  const declared = new Map<string, UserFunctionType>()
  return withUserFunctions(declared, () => {
    const script = new Script(connectors, declared, functions)
    for (const statement of statements) script.add(statement)
    return script.bound(name)
  })
}

class Script {
  readonly #catalog: Catalog
  readonly #settings = new Map<string, string>()
  readonly #sinks: SinkNode[] = []
  readonly #queries: PlanNode[] = []
  /** Of the sinks' statements, and of the queries'. */
  readonly #places = { sinks: [] as Place[], queries: [] as Place[] }
  readonly #errors: SqlError[] = []
  readonly #functions: Map<string, UserFunctionType>
  readonly #loaded: ReadonlyMap<string, UserFunctionType>

  constructor(
    connectors: readonly Connector[],
    functions: Map<string, UserFunctionType>,
    loaded: ReadonlyMap<string, UserFunctionType>,
  ) {
    this.#functions = functions
    this.#loaded = loaded
    this.#catalog = {
      connectors,
      tables: new Map(),
      views: new Map(),
      broken: new Set(),
      settings: this.#settings,
    }
  }

  add(statement: Statement): void {
    try {
      this.#bind(statement)
    } catch (error) {
      const creates = createdBy(statement)
      if (creates !== undefined) this.#catalog.broken.add(creates)
      if (error instanceof AlreadyTold) return
      if (!(error instanceof SqlError)) throw error
      this.#errors.push(error)
    }
  }

  bound(name: string): BoundStatements {
    const { tables, views } = this.#catalog
    const given = this.#settings.get('pipeline.name')
    const asked = [...this.#sinks.map(({ input }) => input), ...this.#queries]
    const plans = simplifyPlans(pruneColumns(this.#waiting(asked)))
    this.#refuse(plans)
    const sinks = this.#sinks.map((sink, index): SinkNode => ({ ...sink, input: plans[index]! }))
    const settings = Object.fromEntries(this.#settings)
    return {
      tables: [...tables.values()],
      views: [...views].map(([view, relation]) => ({ name: view, relation })),
      pipeline:
        sinks.length === 0
          ? undefined
          : { name: given ?? name, nameIsDerived: given === undefined, settings, sinks },
      queries: plans.slice(sinks.length),
      errors: this.#errors,
    }
  }

  /** With calls that must be waited for in nodes of their own. */
  #waiting(plans: readonly PlanNode[]): readonly PlanNode[] {
    const isAsync = (id: string): boolean => this.#typeOf(id)?.isAsync === true
    return plans.map((plan, index) =>
      withAsyncCalls(plan, isAsync, (refused) => this.#refused(refused, index)),
    )
  }

  /** What can be known only of the whole. */
  #refuse(plans: readonly PlanNode[]): void {
    for (const [index, plan] of plans.entries()) {
      const refused =
        refusedCall(plan, (id) => this.#typeOf(id)) ?? repeatedUid(plans.slice(0, index + 1))
      if (refused !== undefined) this.#refused(refused, index)
    }
  }

  #typeOf(id: string): UserFunctionType | undefined {
    return [...this.#loaded.values()].find((type) => userFunctionId(type) === id)
  }

  /** `index`: of the plan, those of sinks first. */
  #refused({ function: name, ...told }: RefusedCall, index: number): void {
    const place = [...this.#places.sinks, ...this.#places.queries][index]!
    const facts = { function: name }
    this.#errors.push(new SqlError('SQL_UNSUPPORTED', place, { ...told, facts }))
  }

  #bind(statement: Statement): void {
    switch (statement.kind) {
      case 'create-table':
        this.#declare(statement.name, statement.ifNotExists, (name) =>
          this.#catalog.tables.set(name, bindTable(statement, this.#catalog)),
        )
        return
      case 'create-view':
        this.#declare(statement.name, statement.ifNotExists, (name) => {
          const relation = bindQuery(statement.query, this.#catalog)
          this.#catalog.views.set(name, renamed(relation, statement.columns, statement.name.at))
        })
        return
      case 'create-function':
        this.#createFunction(statement)
        return
      case 'drop':
        this.#drop(statement)
        return
      case 'set':
        if (statement.option !== undefined) {
          this.#settings.set(statement.option.key, statement.option.value)
        }
        return
      case 'reset':
        if (statement.key === undefined) this.#settings.clear()
        else this.#settings.delete(statement.key)
        return
      case 'broken':
        if (statement.creates !== undefined) this.#catalog.broken.add(statement.creates)
        return
      default:
        this.#run(statement)
    }
  }

  #run(
    statement: Extract<Statement, { kind: 'insert' | 'statement-set' | 'query' | 'explain' }>,
  ): void {
    switch (statement.kind) {
      case 'insert':
        this.#insert(statement)
        return
      case 'statement-set':
        for (const insert of statement.inserts) this.#insert(insert)
        return
      case 'query':
        this.#query(statement.query, statement.at)
        return
      case 'explain':
        throw new SqlError('SQL_UNSUPPORTED', statement.at, {
          message: 'EXPLAIN is no statement of a script',
          hint: "leave EXPLAIN out, and run 'millrace explain FILE'",
        })
    }
  }

  #insert(insert: Insert): void {
    this.#sinks.push(bindInsert(insert, this.#catalog))
    this.#places.sinks.push(insert.at)
  }

  #query(query: QuerySyntax, at: Place): void {
    this.#queries.push(bindQuery(query, this.#catalog).node)
    this.#places.queries.push(at)
  }

  #createFunction({ name, module, export: exported, ifNotExists, sourceAt }: CreateFunction): void {
    const text = nameText(name)
    const key = text.toUpperCase()
    if (this.#functions.has(key)) {
      if (ifNotExists) return
      throw new SqlError('SQL_NAME_TAKEN', name.at, {
        message: `there is a function ${text} already`,
        hint: 'give it another name, or write IF NOT EXISTS',
        facts: { name: text },
      })
    }
    const type = this.#loaded.get(`${module}#${exported}`)
    if (type === undefined)
      throw new SqlError('SQL_FUNCTION_UNKNOWN', sourceAt, {
        message: `${module} has not been loaded`,
        hint: 'declare functions in the tables of open(), in a file of the project, or in the script of run()',
        facts: { module },
      })
    this.#functions.set(key, type)
  }

  #declare(name: QualifiedName, ifNotExists: boolean, declare: (name: string) => void): void {
    const text = nameText(name)
    const { tables, views, broken } = this.#catalog
    if (tables.has(text) || views.has(text)) {
      if (ifNotExists) return
      throw new SqlError('SQL_NAME_TAKEN', name.at, {
        message: `there is a table or view \`${text}\` already`,
        hint: 'give it another name, or write IF NOT EXISTS',
        facts: { name: text },
      })
    }
    declare(text)
    broken.delete(text)
  }

  #drop(statement: Extract<Statement, { kind: 'drop' }>): void {
    const { tables, views } = this.#catalog
    const from: Map<string, unknown> = statement.object === 'table' ? tables : views
    if (!from.delete(nameText(statement.name)) && !statement.ifExists) {
      throw unknownTable(this.#catalog, statement.name)
    }
  }
}

function createdBy(statement: Statement): string | undefined {
  const creates = statement.kind === 'create-table' || statement.kind === 'create-view'
  return creates ? nameText(statement.name) : undefined
}
