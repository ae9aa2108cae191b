import type { Logger } from 'pino'
import { createCertificateIssuer } from './adapters/certificates/index.ts'
import { createEgressDial, type EgressDialOptions } from './adapters/dial/index.ts'
import type { Config } from './config/index.ts'
import type { EgressDoors } from './domain/egress/index.ts'
import { createGateway } from './surfaces/gateway/index.ts'

/** The gateway with its own certificate authority and its way out; sandboxes take their doors from it. */
export async function openGateway(
  config: Config,
  dial: EgressDialOptions | undefined,
  log: Logger,
): Promise<EgressDoors & AsyncDisposable> {
  return createGateway({
    dial: createEgressDial(dial),
    issuer: await createCertificateIssuer(),
    directory: config.socketDirectory,
    log: (message, error) => log.warn({ err: error }, message),
  })
}
