# Constraints of the custom logic's synthesis: none. Every register of the card is in the shell's main clock.
