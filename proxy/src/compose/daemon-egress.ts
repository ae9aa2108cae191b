import { join } from 'node:path'
import type { Logger } from 'pino'
import type { Config } from '../config/index.ts'
import { createCertificateIssuer, createDeferredIssuer, lastingKey } from '../egress/certificates/index.ts'
import { createGateway } from '../egress/gateway/index.ts'
import type { EgressDial, EgressEndpoints, LastingEndpoints } from '../egress/index.ts'
import { type Background, createLargeInspections } from '../workers/background/index.ts'
import { LASTING_KEY } from './state-files.ts'

/** The gateway with its own certificate authorities and its way out; sandboxes take their endpoints from it. */
export async function openGateway(
  config: Config,
  dial: EgressDial,
  background: Background,
  log: Logger,
): Promise<EgressEndpoints & LastingEndpoints & AsyncDisposable> {
  const issuer = createDeferredIssuer()
  const lastingIssuer = createDeferredIssuer(async () =>
    createCertificateIssuer({ ca: await lastingKey(join(config.socketDirectory, LASTING_KEY)) }),
  )
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
    async openLasting(directory, sessions) {
      await lastingIssuer.ready()
      return await gateway.openLasting(directory, sessions, lastingIssuer)
    },
  }
}
