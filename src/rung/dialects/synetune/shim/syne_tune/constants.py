"""Names that scripts, workers and records agree on."""

from __future__ import annotations

SYNE_TUNE_FOLDER = "syne-tune"
SYNE_TUNE_DEFAULT_FOLDER = f"~/{SYNE_TUNE_FOLDER}"
SYNE_TUNE_ENV_FOLDER = "SYNETUNE_FOLDER"

ST_WORKER_ITER = "st_worker_iter"
ST_WORKER_TIMESTAMP = "st_worker_timestamp"
ST_WORKER_TIME = "st_worker_time"
ST_WORKER_COST = "st_worker_cost"
ST_INSTANCE_TYPE = "st_instance_type"
ST_INSTANCE_COUNT = "st_instance_count"

ST_CHECKPOINT_DIR = "st_checkpoint_dir"
ST_CONFIG_JSON_FNAME_ARG = "st_config_json_filename"
ST_REMOTE_UPLOAD_DIR_NAME = "tuner"

ST_TUNER_CREATION_TIMESTAMP = "st_tuner_creation_timestamp"
ST_TUNER_START_TIMESTAMP = "st_tuner_start_timestamp"
ST_TUNER_TIME = "st_tuner_time"
ST_TRIAL_ID = "trial_id"
ST_DECISION = "st_decision"
ST_STATUS = "st_status"

ST_RESULTS_DATAFRAME_FILENAME = "results.csv.zip"
ST_METADATA_FILENAME = "metadata.json"
ST_TUNER_DILL_FILENAME = "tuner.dill"

MAX_METRICS_SUPPORTED_BY_SAGEMAKER = 40
"""How many different metrics a script could report on that service; there is no limit here."""
TUNER_DEFAULT_SLEEP_TIME = 5.0
"""How long a tuner there rests between two looks at its workers; nothing here waits for a clock."""
