"""Starts the processes of a distributed training on this machine, and compares it with one process.

    python -m examples.distributed --processes 4

A byte-level transformer (that of examples.char_lm) is trained with data parallelism and ZeRO: every
device has the weights, a part of each batch and a part of the optimizer's state. The processes talk
over the loopback network as they would between machines (`jax.distributed`, gloo on CPUs). Then one
process trains it on as many devices, and the losses are compared.
"""

import signal
import sys

from examples.distributed import launch

if __name__ == "__main__":
    # As an exception, so that the processes it has started end with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(launch.main(purpose=__doc__))
