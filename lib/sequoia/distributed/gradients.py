"""Gradients are added up over the ranks in buckets, each as soon as backward has filled it.

The buckets are the memory of the gradients themselves, so nothing is copied. The optimizer knows nothing of
it: what it holds is the same under every launcher, and a resumed training goes on exactly.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from torch import Tensor
from torch.nn import Parameter

from sequoia.distributed.collective import Collective, Wait

BUCKET = 4 << 20  # bytes: less is not worth a collective of its own


class GradientSum:
    """The gradients of some parameters: zero, run backward once or several times, `wait`, `multiply`, step.

    Every rank starts its buckets in the same order, also one that runs backward less often or not at all.
    """

    def __init__(self, parameters: Iterable[Parameter], group: Collective, *, bucket: int = BUCKET) -> None:
        self._group = group
        self._buckets: list[Tensor] = []
        self._waiting: list[int] = []  # of each bucket the parameters
        self._left: list[int] = []  # and the gradients that are still to come
        self._started: list[Wait] = []
        # Backward reaches the last parameters first.
        for members in _grouped([*parameters][::-1], bucket):
            self._add(members)
        self.zero()

    def zero(self, backwards: int = 1) -> None:
        """Set all gradients to 0, which so many runs of backward will add to."""
        self._left = [backwards * count for count in self._waiting]
        self._started = []
        for bucket in self._buckets:
            bucket.zero_()

    def start_rest(self) -> None:
        """Begin to add up what backward has not reached; before any other verb of the group.

        Ranks meet in the order of their verbs, and one without rows has started nothing yet.
        """
        self._start_filled(all_of_them=True)

    def wait(self) -> None:
        """Wait until all gradients are added up over the ranks."""
        self.start_rest()
        for wait in self._started:
            wait()

    def multiply(self, scale: Tensor | float) -> None:
        """Multiply all gradients."""
        for bucket in self._buckets:
            bucket.mul_(scale)

    def _add(self, members: list[Parameter]) -> None:
        number, first = len(self._buckets), 0
        whole = members[0].new_zeros(sum(member.numel() for member in members))
        for member in members:
            member.grad = whole[first : first + member.numel()].view_as(member)
            first += member.numel()
            member.register_post_accumulate_grad_hook(partial(self._filled, number))  # type: ignore[no-untyped-call]
        self._buckets.append(whole.detach())
        self._waiting.append(len(members))

    def _filled(self, number: int, _: Tensor) -> None:
        self._left[number] -= 1
        self._start_filled()

    def _start_filled(self, *, all_of_them: bool = False) -> None:
        while len(self._started) < len(self._buckets):
            number = len(self._started)
            if self._left[number] and not all_of_them:
                return
            self._started.append(self._group.start_sum(self._buckets[number]))


def _grouped(parameters: list[Parameter], size: int) -> Iterable[list[Parameter]]:
    """Yield parameters of one type and device in groups of some bytes, or one that is larger alone."""
    members: list[Parameter] = []
    filled = 0
    for parameter in parameters:
        more = parameter.numel() * parameter.element_size()
        alike = members and (members[0].dtype, members[0].device) == (parameter.dtype, parameter.device)
        if members and (filled + more > size or not alike):
            yield members
            members, filled = [], 0
        members.append(parameter)
        filled += more
    if members:
        yield members
