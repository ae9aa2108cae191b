const { to } = JSON.parse(process.env.OAUTH3_ARGS as string) as { to: string }
console.log('hello', to)
