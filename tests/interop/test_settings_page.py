"""TensorBoard's HParams page shows the settings that integrations log, and the runs' metrics."""

from __future__ import annotations

from pathlib import Path

import orgboard
from support.frameworks import framework

multiplexer = framework("tensorboard.backend.event_processing.plugin_event_multiplexer")
data_provider = framework("tensorboard.backend.event_processing.data_provider")
base_plugin = framework("tensorboard.plugins.base_plugin")
backend_context = framework("tensorboard.plugins.hparams.backend_context")
list_session_groups = framework("tensorboard.plugins.hparams.list_session_groups")
api_pb2 = framework("tensorboard.plugins.hparams.api_pb2")
context = framework("tensorboard.context")


def test_all_settings_and_metrics_are_shown_though_none_was_announced(tmp_path: Path) -> None:
    for lr in (0.1, 0.2):
        with orgboard.run(tmp_path / f"lr-{lr}", config={"lr": lr, "model": {"bn": True}}) as run:
            run.add_scalar("loss", lr / 2, 1)
    runs = multiplexer.EventMultiplexer().AddRunsFromDirectory(str(tmp_path))
    runs.Reload()
    provider = data_provider.MultiplexerDataProvider(runs, str(tmp_path))
    shown = backend_context.Context(base_plugin.TBContext(data_provider=provider))
    request = context.RequestContext()

    experiment = shown.experiment_from_metadata(
        request, "", True, shown.hparams_metadata(request, ""), None
    )

    assert {info.name for info in experiment.hparam_infos} == {"lr", "model/bn"}
    assert [info.name.tag for info in experiment.metric_infos] == ["loss"]
    asked = api_pb2.ListSessionGroupsRequest(
        start_index=0, slice_size=10, allowed_statuses=[api_pb2.STATUS_SUCCESS]
    )
    groups = list_session_groups.Handler(request, shown, "", asked).run().session_groups
    assert {
        (group.hparams["lr"].number_value, round(group.metric_values[0].value, 6))
        for group in groups
    } == {(0.1, 0.05), (0.2, 0.1)}
