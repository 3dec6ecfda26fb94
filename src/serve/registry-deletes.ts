/** DELETE of versions and subjects: soft, and for good with `permanent=true`. */
import type { FastifyInstance } from 'fastify'
import { decideDeleteSubject, decideDeleteVersion } from '../registry/decisions.ts'
import type { RegistryStore } from '../registry/store.ts'
import type { RegistryRequest } from './registry-bodies.ts'

export function addRegistryDeletes(app: FastifyInstance, store: RegistryStore): void {
  app.delete('/subjects/:subject', async ({ params, query }: RegistryRequest) =>
    store.change((state) => decideDeleteSubject(state, params.subject, query.permanent === 'true')),
  )
  app.delete('/subjects/:subject/versions/:version', async ({ params, query }: RegistryRequest) =>
    store.change((state) =>
      decideDeleteVersion(state, params.subject, params.version, query.permanent === 'true'),
    ),
  )
}
