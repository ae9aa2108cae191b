import './styles/index.css'
import { render } from 'preact'
import { App } from './app.tsx'
import { startRouter } from './router.ts'
import { startClock } from './state/clock.ts'
import { startKeys } from './state/keys.ts'
import { startSignIn } from './state/sign-in.ts'
import { yieldConnections } from './state/stream.ts'
import { startTheme } from './state/theme.ts'

startTheme()
startRouter()
startClock()
startKeys()
startSignIn()
yieldConnections()
const root = document.getElementById('app')
if (root !== null) render(<App />, root)
