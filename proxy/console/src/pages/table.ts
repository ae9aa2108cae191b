import type { ComponentType } from 'preact'
import type { IconName } from '../ui/icon.tsx'
import { Inbox } from './inbox.tsx'

export interface PageProps {
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
}

export type PageComponent = ComponentType<PageProps>

export interface Page {
  /** Below `/console`; `:name` is a segment that is given to it. */
  readonly path: string
  readonly title: string
  /** Where it stands in the navigation: its icon, the key behind `g`, and whether a phone has room for it. */
  readonly nav?: { readonly icon: IconName; readonly key: string; readonly phone?: 'also' | 'only' }
  /** A chunk of its own, loaded when it is first opened; the first screen is in the first chunk. */
  readonly isFirst?: true
  readonly load: () => Promise<{ readonly default: PageComponent }> | { readonly default: PageComponent }
}

/** Every page. A new one: a file with a default export in this folder, and a row here. */
export const PAGES: readonly Page[] = [
  {
    path: '/',
    title: 'Inbox',
    nav: { icon: 'inbox', key: 'i', phone: 'also' },
    isFirst: true,
    load: () => ({ default: Inbox }),
  },
  {
    path: '/requests/:id',
    title: 'Request',
    load: () => import('./request.tsx'),
  },
  {
    path: '/history',
    title: 'History',
    nav: { icon: 'history', key: 'h', phone: 'also' },
    load: () => import('./history.tsx'),
  },
  {
    path: '/grants',
    title: 'Grants',
    nav: { icon: 'grant', key: 'g', phone: 'also' },
    load: () => import('./grants.tsx'),
  },
  { path: '/grants/:id', title: 'Grant', load: () => import('./grant.tsx') },
  {
    path: '/secrets',
    title: 'Secrets',
    nav: { icon: 'secret', key: 's', phone: 'also' },
    load: () => import('./secrets.tsx'),
  },
  { path: '/agents', title: 'Agents', nav: { icon: 'agent', key: 'a' }, load: () => import('./agents.tsx') },
  {
    path: '/providers',
    title: 'Providers',
    nav: { icon: 'provider', key: 'p' },
    load: () => import('./providers.tsx'),
  },
  {
    path: '/skills',
    title: 'Skills',
    nav: { icon: 'skill', key: 'k' },
    load: () => import('./skills.tsx'),
  },
  { path: '/apps', title: 'Apps', nav: { icon: 'app', key: 'c' }, load: () => import('./apps.tsx') },
  { path: '/apps/:name', title: 'App', load: () => import('./app.tsx') },
  { path: '/runs', title: 'Runs', nav: { icon: 'run', key: 'r' }, load: () => import('./runs.tsx') },
  { path: '/runs/:id', title: 'Run', load: () => import('./run.tsx') },
  { path: '/usage', title: 'Usage', nav: { icon: 'usage', key: 'u' }, load: () => import('./usage.tsx') },
  { path: '/audit', title: 'Audit', nav: { icon: 'audit', key: 't' }, load: () => import('./audit.tsx') },
  {
    path: '/settings',
    title: 'Settings',
    nav: { icon: 'settings', key: 'x' },
    load: () => import('./settings.tsx'),
  },
  {
    path: '/more',
    title: 'More',
    nav: { icon: 'more', key: 'm', phone: 'only' },
    load: () => import('./more.tsx'),
  },
  { path: '/hosts', title: 'Hosted agents', load: () => import('./hosts.tsx') },
  { path: '/hosts/:name', title: 'Chat', load: () => import('./chat.tsx') },
  { path: '/hosts/:name/desktop', title: 'Desktop', load: () => import('./desktop.tsx') },
  { path: '/hosts/:name/inside', title: 'Inside', load: () => import('./host-inside.tsx') },
  { path: '/account', title: 'Account', load: () => import('./account.tsx') },
  { path: '/tenants', title: 'Tenants', load: () => import('./tenants.tsx') },
  { path: '/prices', title: 'Prices', load: () => import('./prices.tsx') },
  { path: '/try', title: 'Try a program', load: () => import('./try.tsx') },
  { path: '/passkeys', title: 'Passkeys', load: () => import('./passkeys.tsx') },
]
