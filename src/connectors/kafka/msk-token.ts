/**
 * The token that Amazon MSK takes from an IAM identity: a signed URL that asks to connect, in base64url. It is made here; brokers ask for
 * OAUTHBEARER.
 *
 *   region       sasl.oauthbearer.aws.region, or that in the brokers' names, or AWS_REGION
 *   credentials  awsAccessKeyId, awsSecretAccessKey, awsSessionToken of the JAAS entry; or the environment's AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY,
 *                AWS_SESSION_TOKEN; else, or with awsProfileName or awsRoleArn in the entry, what the package @aws-sdk/credential-providers finds
 *
 * @see Amazon MSK Developer Guide, "IAM access control"
 */
import { MillraceError } from '../../errors.ts'
import { type Credentials, presignedUrl } from '../../ports/s3/signature.ts'
import { optionInvalid, type Properties } from './properties.ts'

type Environment = Readonly<Record<string, string | undefined>>
type Jaas = Readonly<Record<string, string>>

/** The longest that brokers take. */
const EXPIRES_SECONDS = 900
const PROVIDERS = '@aws-sdk/credential-providers'

export function mskToken(region: string, credentials: Credentials, nowMs: number): string {
  const url = presignedUrl({
    url: `https://kafka.${region}.amazonaws.com/?Action=kafka-cluster%3AConnect`,
    service: 'kafka-cluster',
    expiresSeconds: EXPIRES_SECONDS,
    ...{ region, nowMs, credentials },
  })
  return Buffer.from(`${url}&User-Agent=millrace`).toString('base64url')
}

/** A new one each time it is called. @throws KAFKA_OPTION_INVALID if there is no region, or nothing to sign with */
export function mskTokens(
  properties: Properties,
  jaas: Jaas,
  environment: Environment,
  nowMs: () => number,
): () => Promise<string> {
  const region = regionOf(properties, environment)
  return async () => mskToken(region, await credentialsOf(properties, jaas, environment), nowMs())
}

function regionOf(properties: Properties, environment: Environment): string {
  const named = /\.kafka(?:-serverless)?\.([a-z0-9-]+)\.amazonaws\.com/
  const region =
    properties.get('sasl.oauthbearer.aws.region') ??
    named.exec(properties.get('bootstrap.servers') ?? '')?.[1] ??
    environment.AWS_REGION ??
    environment.AWS_DEFAULT_REGION
  if (region !== undefined && /^[a-z0-9-]+$/.test(region)) return region
  throw optionInvalid(
    properties.table,
    'properties.sasl.oauthbearer.aws.region',
    "name the cluster's region, or set AWS_REGION",
  )
}

async function credentialsOf(
  { table }: Properties,
  jaas: Jaas,
  environment: Environment,
): Promise<Credentials> {
  const given = pair(jaas.awsAccessKeyId, jaas.awsSecretAccessKey, jaas.awsSessionToken)
  if (given !== undefined) return given
  const { awsProfileName: profile, awsRoleArn: role } = jaas
  if (profile === undefined && role === undefined) {
    const { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret } = environment
    const found = pair(id, secret, environment.AWS_SESSION_TOKEN)
    if (found !== undefined) return found
  }
  return fromProviders(table, profile, role, jaas.awsRoleSessionName ?? 'millrace')
}

function pair(
  accessKeyId: string | undefined,
  secretAccessKey: string | undefined,
  sessionToken: string | undefined,
): Credentials | undefined {
  if (!accessKeyId || !secretAccessKey) return undefined
  return { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) }
}

/** What is used of the package. */
interface Providers {
  fromNodeProviderChain(options: { readonly profile?: string }): () => Promise<Credentials>
  fromTemporaryCredentials(options: {
    readonly params: { readonly RoleArn: string; readonly RoleSessionName: string }
    readonly masterCredentials: () => Promise<Credentials>
  }): () => Promise<Credentials>
}

async function fromProviders(
  table: string,
  profile: string | undefined,
  role: string | undefined,
  session: string,
): Promise<Credentials> {
  let providers: Providers
  try {
    // Not by a literal: it is the user's to install.
    providers = await import(PROVIDERS as string)
  } catch (cause) {
    throw new MillraceError('KAFKA_OPTION_INVALID', {
      message: `table ${table}: AWS_MSK_IAM finds no credentials in the environment or the JAAS entry`,
      hint: `set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; for profiles, roles and instances' identities: npm install ${PROVIDERS}`,
      facts: { table, package: PROVIDERS },
      cause,
    })
  }
  const own = providers.fromNodeProviderChain(profile === undefined ? {} : { profile })
  if (role === undefined) return own()
  const params = { RoleArn: role, RoleSessionName: session }
  return providers.fromTemporaryCredentials({ params, masterCredentials: own })()
}
