from harness.api import load_model as load_model
from harness.errors import HarnessError as HarnessError
from harness.evaluation.evaluate import evaluate as evaluate
from harness.finding import Finding as Finding
from harness.finding import Severity as Severity
from harness.metrics.interface import Metric as Metric
from harness.metrics.standard import AVERAGE_PRECISION as AVERAGE_PRECISION
from harness.metrics.standard import MACRO_F1 as MACRO_F1
from harness.metrics.standard import PEARSON as PEARSON
from harness.metrics.standard import ROC_AUC as ROC_AUC
from harness.metrics.standard import SPEARMAN as SPEARMAN
from harness.metrics.standard import mean_metric as mean_metric
from harness.models.interface import Model as Model
from harness.models.interface import Role as Role
from harness.models.interface import Settings as Settings
from harness.plugins.hookspecs import hookimpl as hookimpl
from harness.tasks.dataset import Dataset as Dataset
from harness.tasks.dataset import Predictions as Predictions
from harness.tasks.interface import DataSource as DataSource
from harness.tasks.interface import Splits as Splits
from harness.tasks.interface import Task as Task
from harness.tasks.readers import read_rows as read_rows

__version__: str
