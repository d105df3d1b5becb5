import logging

from difftem.simulation.messages import collected, only_warnings


def test_only_warnings_are_shown_and_everything_is_collected():
    logger, shown = logging.getLogger("difftem"), []
    handler = logging.Handler()
    handler.emit = lambda record: shown.append(record.getMessage())
    logger.addHandler(handler)
    try:
        with collected() as kept:
            with only_warnings():
                logging.getLogger("difftem.io").info("a file was read")
                logging.getLogger("difftem.io").warning("it is large")
            logging.getLogger("difftem.io").info("it is done")
    finally:
        logger.removeHandler(handler)
    assert shown == ["it is large", "it is done"]
    assert kept == ["a file was read", "warning: it is large", "it is done"]
