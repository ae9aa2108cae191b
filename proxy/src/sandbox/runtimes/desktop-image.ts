/** The image of the desktop: what the browser's has, and a screen (`sandbox-images/desktop`). */
import { BROWSER_IMAGE } from './browser-image.ts'
import type { ImageSource } from './runtimes.ts'

export const DESKTOP_IMAGE: ImageSource = {
  ...BROWSER_IMAGE,
  name: 'desktop',
  folder: 'desktop',
  files: [
    'supervisor.mjs',
    'desktop.mjs',
    'browser.mjs',
    'chromium.desktop',
    'xfce4-session.xml',
    'xfce4-panel.xml',
    'xfce4-desktop.xml',
    'xfwm4.xml',
    ...BROWSER_IMAGE.files
      .filter((file) => file !== 'supervisor.mjs')
      .map((file) => (file.startsWith('../') ? file : `../${BROWSER_IMAGE.folder}/${file}`)),
  ],
}
