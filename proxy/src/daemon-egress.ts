import type { Logger } from 'pino'
import { type Background, createLargeInspections } from './adapters/background/index.ts'
import { createCertificateIssuer } from './adapters/certificates/index.ts'
import type { Config } from './config/index.ts'
import type { EgressDial, EgressEndpoints } from './domain/egress/index.ts'
import { createGateway } from './surfaces/gateway/index.ts'

/** The gateway with its own certificate authority and its way out; sandboxes take their endpoints from it. */
export async function openGateway(
  config: Config,
  dial: EgressDial,
  background: Background,
  log: Logger,
): Promise<EgressEndpoints & AsyncDisposable> {
  return createGateway({
    dial,
    inspections: createLargeInspections(background),
    issuer: await createCertificateIssuer(),
    directory: config.socketDirectory,
    http2ToHosts: config.http2ToHosts,
    log: (message, error) => log.warn({ err: error }, message),
  })
}
