import { useState } from 'preact/hooks'
import { say } from '../state/news.ts'
import { Icon } from './icon.tsx'

/** Text to be put into a terminal or a file, with a button that copies it. */
export function Copy({ text }: { readonly text: string }) {
  const [isCopied, setCopied] = useState(false)
  const copy = (): void => {
    navigator.clipboard.writeText(text).then(
      () => {
        setCopied(true)
        say('Copied.')
      },
      () => say('The browser did not let it be copied: select the text instead.', 'bad'),
    )
  }
  return (
    <div class="copy">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls sideways has to be reached by keyboard. */}
      <pre tabIndex={0}>{text}</pre>
      <button type="button" class="quiet" onClick={copy} aria-label={`Copy: ${text.split('\n')[0]}`}>
        <Icon name={isCopied ? 'check' : 'copy'} />
        {isCopied ? 'Copied' : 'Copy'}
      </button>
    </div>
  )
}
