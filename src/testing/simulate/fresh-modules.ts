/**
 * The modules of users' functions, loaded anew for each simulated process: what they keep in variables is gone with it, as it would be
 * with a real one. Millrace's own modules, and packages, stay as they are.
 */
import { registerHooks } from 'node:module'

export interface FreshModules extends Disposable {
  /** A process begins: it shares no module with those before. */
  begin(): void
}

const OWN = new URL('../../', import.meta.url).href
const MARK = 'millrace-process='
let processes = 0

export function freshModules(): FreshModules {
  let current = 0
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      const found = next(specifier, context)
      const isAsked = specifier.startsWith('file:') || context.parentURL?.includes(MARK) === true
      if (!isAsked || !isUsers(found.url)) return found
      const separator = found.url.includes('?') ? '&' : '?'
      return { ...found, url: `${found.url}${separator}${MARK}${current}` }
    },
  })
  return {
    begin() {
      current = ++processes
    },
    [Symbol.dispose]() {
      hooks.deregister()
    },
  }
}

function isUsers(url: string): boolean {
  return url.startsWith('file:') && !url.startsWith(OWN) && !url.includes('/node_modules/')
}
