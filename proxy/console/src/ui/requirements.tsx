import type { ApprovalView, ShownLine } from '../../../src/contracts/admin/index.ts'
import { href } from '../router.ts'
import { withoutPicture } from '../state/decide.ts'
import { Icon } from './icon.tsx'
import { ShownText } from './shown-line.tsx'

/** What a yes takes beyond one person's word, as the daemon says it in every channel: a passkey, more persons, and who of them said yes. */
export function RequirementNotes({ view }: { readonly view: ApprovalView }) {
  if (view.notes.length === 0) return null
  return (
    <ul class="alarms">
      {view.notes.map((line, index) => {
        const isRisk = view.risk === 'high' && index === 0
        return (
          <li key={JSON.stringify(line)} class={isRisk ? 'caution' : 'changed'}>
            <Icon name={isRisk ? 'secret' : 'people'} />
            <span>
              <ShownText line={asInConsole(line, href(`/requests/${view.id}`))} />
            </span>
          </li>
        )
      })}
    </ul>
  )
}

/** Chats begin a line with a picture, and say where the console is. */
const asInConsole = (line: ShownLine, page: string): ShownLine =>
  line
    .filter((part) => typeof part !== 'string' || !part.includes(page))
    .map((part, index) => (index === 0 && typeof part === 'string' ? withoutPicture(part) : part))
