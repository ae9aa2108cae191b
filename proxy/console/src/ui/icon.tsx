/** Outlines on a grid of 16, drawn in the colour of the text. */
const PATHS = {
  inbox: 'M2 9.5 4 3h8l2 6.5V13H2V9.5Zm0 0h3.5l1 1.5h3l1-1.5H14',
  history: 'M2.5 8a5.5 5.5 0 1 0 1.7-4M2.5 2.5v2.7h2.7M8 5v3l2 1.5',
  grant: 'M8 1.8 13 4v3.6c0 3-2 5.2-5 6.6-3-1.4-5-3.6-5-6.6V4l5-2.2ZM5.8 8l1.6 1.6L10.4 6.5',
  secret: 'M9.5 9a3.5 3.5 0 1 1 1-1l3.5 3.5V14h-2.5v-1.7H9.8v-1.7L9.5 9ZM6.3 6.2h.01',
  agent: 'M4 5.5h8V12H4zM8 5.5v-3M6.3 8.5v.8M9.7 8.5v.8M2 8v2M14 8v2',
  people:
    'M5.5 8a2.3 2.3 0 1 0 0-4.6 2.3 2.3 0 0 0 0 4.6ZM1.5 13.5c0-2.2 1.8-3.7 4-3.7s4 1.5 4 3.7M11 8a2 2 0 1 0 0-4M12 9.8c1.5.3 2.5 1.6 2.5 3.2',
  provider: 'M3 6.5a5.5 5.5 0 0 1 10 0M2 9.5h12M4 9.5V13h8V9.5',
  skill: 'M8 2l5 2.8v6.4L8 14l-5-2.8V4.8L8 2Zm0 6 5-3.2M8 8 3 4.8M8 8v6',
  app: 'M2.5 3h11v10h-11zM2.5 6h11M5 9h3',
  run: 'M8 2.2a5.8 5.8 0 1 0 0 11.6A5.8 5.8 0 0 0 8 2.2ZM6.6 5.6 10.6 8l-4 2.4Z',
  usage: 'M2.5 13.5h11M4 11V8M8 11V3.5M12 11V6',
  audit: 'M4 2h6l2.5 2.5V14H4V2Zm2 5h4.5M6 9.5h4.5M6 12h2.5',
  settings: 'M2 4.5h6m3 0h3M9.5 3v3M2 11.5h3m3 0h6M6.5 10v3',
  more: 'M3 7.5h1v1H3zM7.5 7.5h1v1h-1zM12 7.5h1v1h-1z',
  sun: 'M8 5.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6ZM8 1.5V3M8 13v1.5M1.5 8H3M13 8h1.5M3.4 3.4l1 1M11.6 11.6l1 1M3.4 12.6l1-1M11.6 4.4l1-1',
  moon: 'M13 9.5A5.5 5.5 0 0 1 6.5 3 5.5 5.5 0 1 0 13 9.5Z',
  system: 'M2 3h12v8H2zM6 14h4M8 11v3',
  warning: 'M8 2.2 14.5 13.5h-13L8 2.2ZM8 6.5v3M8 11.5h.01',
  check: 'm3 8.5 3.2 3.2L13 5',
  cross: 'm4 4 8 8M12 4l-8 8',
  copy: 'M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3',
  clip: 'M12.5 7.5 7.6 12.4a2.8 2.8 0 0 1-4-4L8.9 3.1a1.9 1.9 0 0 1 2.7 2.7L6.4 11a.9.9 0 0 1-1.3-1.3l4.6-4.6',
  arrow: 'M3 8h10M9 4l4 4-4 4',
} as const

export type IconName = keyof typeof PATHS

export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  )
}
