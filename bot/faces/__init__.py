"""The faces: Telegram, the console, and the local socket between a running bot and a console beside it."""
