/** The cluster that a table's options name. */
import type { Ports } from '../../ports/ports.ts'
import { type Cluster, openCluster } from './cluster.ts'
import { connectionOptions } from './connection.ts'
import type { Properties } from './properties.ts'

export function clusterOf(
  { options, ports }: { readonly options: Readonly<Record<string, string>>; readonly ports: Ports },
  properties: Properties,
): Promise<Cluster> {
  return openCluster({
    servers: options['properties.bootstrap.servers']!,
    clientId: properties.get('client.id') ?? 'millrace',
    connection: connectionOptions(properties, ports),
    ports,
  })
}
