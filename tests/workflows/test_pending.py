from types import SimpleNamespace

from difftem.workflows.generate.pending import PendingItems


def shares(items, world, seen=None):
    """Lists of every rank; rank r looked at the folder later and saw `seen[r]`."""
    dealt = []
    for rank in range(world):
        data = PendingItems(items if rank == 0 or seen is None else seen[rank])
        strategy = SimpleNamespace(broadcast=lambda mine: list(items))
        data.trainer = SimpleNamespace(global_rank=rank, world_size=world, strategy=strategy)
        data.setup("predict")
        dealt.append([int(batch) for batch in data.predict_dataloader()])
    return dealt


def test_every_item_is_dealt_once_whatever_the_number_of_ranks():
    items = [0, 3, 4, 7, 8, 9, 11]
    for world in (1, 2, 3, 7, 10):
        dealt = shares(items, world)
        assert sorted(item for share in dealt for item in share) == items
        assert max(map(len, dealt)) - min(map(len, dealt)) <= 1


def test_a_rank_that_looks_late_deals_as_the_first_one_did():
    items = list(range(6))
    assert shares(items, 2, seen=[None, [2, 3, 4, 5]]) == shares(items, 2)


def test_without_a_trainer_all_is_pending():
    assert [int(batch) for batch in PendingItems([5, 2]).predict_dataloader()] == [5, 2]
