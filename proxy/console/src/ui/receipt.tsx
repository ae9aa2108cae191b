import { useEffect, useState } from 'preact/hooks'
import { useAct } from '../admin/act.tsx'
import { api } from '../api/client.ts'
import { Copy } from './copy.tsx'

type Receipt = Awaited<ReturnType<typeof readReceipt>>
const readReceipt = (id: string) => api.call('readReceipt', { params: { id } })

/** A file of the page's own making, for as long as it is offered. */
function useFile(text: string | undefined): string | undefined {
  const [url, setUrl] = useState<string>()
  useEffect(() => {
    if (text === undefined) return
    const made = URL.createObjectURL(new Blob([text], { type: 'text/plain' }))
    setUrl(made)
    return () => URL.revokeObjectURL(made)
  }, [text])
  return url
}

/** The signed statement of the verdict on a request, made when it is asked for. */
export function ReceiptOf({ id }: { readonly id: string }) {
  const [receipt, setReceipt] = useState<Receipt>()
  const { isBusy, refusal, run } = useAct()
  const file = useFile(receipt?.text)
  const name = `${id}.receipt`
  return (
    <section class="part" aria-label="Receipt">
      <header>
        <h2>Receipt</h2>
        {receipt === undefined && (
          <button
            type="button"
            class="small"
            disabled={isBusy}
            onClick={() => void run(async () => setReceipt(await readReceipt(id)), 'The receipt is signed.')}
          >
            Make a receipt
          </button>
        )}
      </header>
      <p class="refusal" role="alert">
        {refusal}
      </p>
      {receipt === undefined ? (
        <p class="soft">
          A signed statement of who answered what, which anybody can verify without the daemon.
        </p>
      ) : (
        <>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard */}
          <pre class="output" tabIndex={0}>
            {receipt.text}
          </pre>
          <div class="answers">
            {file && (
              <a class="button" href={file} download={name}>
                Download
              </a>
            )}
          </div>
          <dl class="pairs">
            <dt>Signed by</dt>
            <dd class="mono hash">{receipt.key.fingerprint}</dd>
          </dl>
          <p class="soft">Whoever gets it verifies it so; tell them the key by another way than the file:</p>
          <Copy text={`npx oauth3 receipt verify ${name} --key ${receipt.key.fingerprint}`} />
        </>
      )}
    </section>
  )
}
