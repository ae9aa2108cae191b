import type { ComponentChildren, TargetedEvent } from 'preact'
import { useId, useState } from 'preact/hooks'
import { useAct } from './act.tsx'

/** Fields by their names, as the form holds them when it is sent; a field of secrets is emptied at once. */
export type Fields = Readonly<Record<string, string>>

export const fieldsOf = (form: HTMLFormElement): Fields =>
  Object.fromEntries(
    [...new FormData(form)].map(([name, value]) => [name, typeof value === 'string' ? value : '']),
  )

/** A form in a fold of its own: closed until it is wanted, emptied when what it asks for is done. */
export function FoldedForm({
  title,
  send,
  submit,
  done,
  after,
  children,
}: {
  readonly title: string
  readonly submit: string
  readonly send: (fields: Fields) => Promise<unknown>
  readonly done: string
  /** Reads anew what it changed. */
  readonly after?: (() => void) | undefined
  readonly children: ComponentChildren
}) {
  const [isOpen, setOpen] = useState(false)
  const { isBusy, refusal, run } = useAct()
  const onSubmit = (event: TargetedEvent<HTMLFormElement, SubmitEvent>): void => {
    event.preventDefault()
    const form = event.currentTarget
    const fields = fieldsOf(form)
    void run(() => send(fields), done).then((isDone) => {
      // What was written is kept where it was refused, but for values of secrets.
      for (const field of form.querySelectorAll<HTMLInputElement>('[data-secret]')) field.value = ''
      if (!isDone) return
      form.reset()
      setOpen(false)
      after?.()
    })
  }
  return (
    <details class="fold" open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{title}</summary>
      <form class="fields" onSubmit={onSubmit} autocomplete="off">
        {children}
        <p class="refusal" role="alert">
          {refusal}
        </p>
        <div class="answers">
          <button type="submit" class="primary" disabled={isBusy}>
            {submit}
          </button>
        </div>
      </form>
    </details>
  )
}

interface FieldProps {
  readonly name: string
  readonly label: string
  readonly hint?: string
  readonly isRequired?: boolean
  readonly value?: string
  readonly placeholder?: string
  /** A value that is written and never shown: kept out of the browser's memory of forms. */
  readonly isSecret?: boolean
  readonly type?: 'text' | 'number' | 'datetime-local' | 'url'
  readonly list?: readonly string[]
  readonly maxLength?: number
}

export function Field({
  name,
  label,
  hint,
  isRequired,
  value,
  placeholder,
  isSecret,
  type,
  list,
  maxLength,
}: FieldProps) {
  const id = useId()
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        name={name}
        // The types of inputs know no input of a type that is told while it is drawn.
        type={(isSecret ? 'password' : (type ?? 'text')) as 'text'}
        defaultValue={value ?? ''}
        placeholder={placeholder}
        required={isRequired}
        maxLength={maxLength}
        autocomplete={isSecret ? 'new-password' : 'off'}
        autocapitalize="off"
        spellcheck={false}
        data-secret={isSecret || undefined}
        aria-describedby={hint ? `${id}-hint` : undefined}
        {...(list && { list: `${id}-list` })}
        {...(type === 'number' && { step: 'any' })}
      />
      {list && (
        <datalist id={`${id}-list`}>
          {list.map((word) => (
            <option key={word} value={word} />
          ))}
        </datalist>
      )}
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  )
}

export function Choice({
  name,
  label,
  options,
  value,
  onChange,
}: {
  readonly name: string
  readonly label: string
  /** Chosen at first; left out: the first one. */
  readonly value?: string
  readonly options: readonly (readonly [value: string, says: string])[]
  readonly onChange?: (value: string) => void
}) {
  const id = useId()
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select id={id} name={name} onChange={(event) => onChange?.(event.currentTarget.value)}>
        {options.map(([option, says]) => (
          <option key={option} value={option} selected={option === value}>
            {says}
          </option>
        ))}
      </select>
    </div>
  )
}

export function Check({
  name,
  label,
  isOn = false,
}: {
  readonly name: string
  readonly label: string
  readonly isOn?: boolean
}) {
  return (
    <label class="check">
      <input type="checkbox" name={name} value="1" defaultChecked={isOn} /> {label}
    </label>
  )
}

/** Words apart by commas or spaces; none: an empty list. */
export const wordsIn = (text: string | undefined): string[] =>
  (text ?? '').split(/[\s,]+/).filter((word) => word !== '')
/** Null where nothing was written; throws for what is no number. */
export function numberIn(text: string | undefined, label: string): number | null {
  if (text === undefined || text.trim() === '') return null
  const number = Number(text)
  if (!Number.isFinite(number)) throw new Error(`${label} takes a number.`)
  return number
}
/** US dollars as written, in millionths. */
export function microUsdIn(text: string | undefined, label: string): number | null {
  const usd = numberIn(text, label)
  return usd === null ? null : Math.round(usd * 1_000_000)
}
