import { rawPairs } from './raw-pairs.ts'
import type { UpstreamController, UpstreamHandler, UpstreamPool, UpstreamRequest } from './upstream-pool.ts'

interface WholeAnswer {
  readonly status: number
  /** Flat name, value … */
  readonly headers: readonly string[]
  readonly body: Buffer
}

export interface WholeAnswerOptions {
  readonly maxBytes: number
  readonly signal: AbortSignal
  /** The head is there; the body may take its time. */
  readonly onHead: (status: number, headers: readonly string[]) => void
}

/** Asks and reads the answer whole. Rejects when it cannot be had, is longer than `maxBytes`, or the signal aborts. */
export function wholeAnswer(
  pool: Pick<UpstreamPool, 'dispatch'>,
  request: UpstreamRequest,
  { maxBytes, signal, onHead }: WholeAnswerOptions,
): Promise<WholeAnswer> {
  return new Promise((resolve, reject) => {
    let controller: UpstreamController | undefined
    let [status, bytes]: [number, number] = [0, 0]
    let headers: readonly string[] = []
    const parts: Buffer[] = []
    const end = (): void => {
      reject(signal.reason)
      controller?.abort(signal.reason)
    }
    const over = (): void => signal.removeEventListener('abort', end)
    signal.addEventListener('abort', end)
    const handler: UpstreamHandler = {
      onRequestStart(started) {
        controller = started
        if (signal.aborted) end()
      },
      onResponseStart(started, statusCode) {
        if (statusCode < 200) return
        status = statusCode
        headers = rawPairs(started.rawHeaders)
        onHead(status, headers)
      },
      onResponseData(started, chunk) {
        bytes += chunk.length
        if (bytes > maxBytes) started.abort(new Error('the answer is too long'))
        else parts.push(chunk)
      },
      onResponseEnd() {
        over()
        resolve({ status, headers, body: Buffer.concat(parts) })
      },
      onResponseError(_controller, error) {
        over()
        reject(error)
      },
    }
    pool.dispatch(request, handler)
  })
}
