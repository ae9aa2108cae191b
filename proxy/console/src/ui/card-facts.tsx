import type { ComponentChildren } from 'preact'
import type { CardView } from '../../../src/contracts/admin/index.ts'
import { Icon } from './icon.tsx'

/** What leads every card: how it goes beyond what was approved, and what to beware of. */
export function Alarms({ card, isShort }: { readonly card: CardView; readonly isShort?: boolean }) {
  if (card.changes.length + card.warnings.length === 0) return null
  return (
    <ul class="alarms">
      {card.changes.map((change) => (
        <li key={change} class="changed">
          <b>Changed</b> <bdi>{change}</bdi>
        </li>
      ))}
      {card.warnings.map(({ kind, text, short, pinned }) => (
        <li key={`${kind} ${text}`} class={pinned ? 'danger' : 'caution'}>
          <Icon name="warning" /> <bdi>{isShort && !pinned ? short : text}</bdi>
        </li>
      ))}
    </ul>
  )
}

export function Fact({ name, children }: { readonly name: string; readonly children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

export function SecretFacts({ card }: { readonly card: CardView }) {
  if (card.secrets.length === 0) return <Fact name="Secrets">none</Fact>
  return (
    <Fact name="Secrets">
      <ul>
        {card.secrets.map(({ name, raw, goes, how, missing }) => (
          <li key={name} class={raw ? 'bad' : ''}>
            <bdi class="mono name">{name}</bdi> → <bdi class="mono">{goes}</bdi>
            {how !== '' && <span class={raw ? 'bad' : 'soft'}> ({how})</span>}
            {missing && <span class="caution"> · not stored yet: the run waits for it</span>}
          </li>
        ))}
      </ul>
    </Fact>
  )
}
