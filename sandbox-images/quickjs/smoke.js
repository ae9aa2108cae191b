console.log('hello', args.to)
