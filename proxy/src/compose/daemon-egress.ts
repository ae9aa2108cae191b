import type { Logger } from 'pino'
import type { Config } from '../config/index.ts'
import { createDeferredIssuer } from '../egress/certificates/index.ts'
import { createGateway } from '../egress/gateway/index.ts'
import type { EgressDial, EgressEndpoints } from '../egress/index.ts'
import { type Background, createLargeInspections } from '../workers/background/index.ts'

/** The gateway with its own certificate authority and its way out; sandboxes take their endpoints from it. */
export async function openGateway(
  config: Config,
  dial: EgressDial,
  background: Background,
  log: Logger,
): Promise<EgressEndpoints & AsyncDisposable> {
  const issuer = createDeferredIssuer()
  const gateway = createGateway({
    dial,
    inspections: createLargeInspections(background),
    issuer,
    directory: config.socketDirectory,
    http2ToHosts: config.http2ToHosts,
    log: (message, error) => log.warn({ err: error }, message),
  })
  return {
    ...gateway,
    async open() {
      await issuer.ready()
      return await gateway.open()
    },
  }
}
