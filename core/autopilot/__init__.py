"""The autopilot: looks at closed candles, decides, passes its gates, and trades through the same door as everybody."""
