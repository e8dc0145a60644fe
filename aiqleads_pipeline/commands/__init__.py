"""What the commands of ``aiqleads`` do, one module each; ``cli`` only parses and prints."""
