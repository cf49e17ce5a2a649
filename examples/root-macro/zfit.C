// Fit of a Z peak over a falling background, on a sample generated from a fixed seed.
//   root -l -b -q zfit.C        writes out/zfit.root and out/zfit.json
// Fails when the fit does not converge or misses the generated mass by more than 4 sigma.

#include <TF1.h>
#include <TFile.h>
#include <TFitResult.h>
#include <TH1D.h>
#include <TRandom3.h>
#include <TSystem.h>

#include <cmath>
#include <fstream>
#include <iomanip>
#include <string>

const double kMass = 91.19;
const double kWidth = 3.0;

TH1D generate(int nSignal, int nBackground, unsigned seed)
{
   TRandom3 random(seed);
   TH1D h("m", "generated mass;m [GeV];events", 60, 60, 120);
   h.SetDirectory(nullptr);
   for (int i = 0; i < nSignal; ++i)
      h.Fill(random.Gaus(kMass, kWidth));
   for (int i = 0; i < nBackground; ++i)
      h.Fill(60 + random.Exp(30));
   return h;
}

TFitResultPtr fitPeak(TH1D &h)
{
   TF1 model("model", "gaus(0) + expo(3)", 60, 120);
   model.SetParameters(h.GetMaximum(), 90, 2.5, 5, -0.03);
   return h.Fit(&model, "QSN");
}

int zfit(const char *outdir = "out", unsigned seed = 4357)
{
   TH1D h = generate(5000, 2000, seed);
   TFitResultPtr fit = fitPeak(h);
   if (!fit.Get() || !fit->IsValid()) {
      Error("zfit", "the fit did not converge");
      return 1;
   }
   const double mass = fit->Parameter(1), error = fit->ParError(1);
   if (std::abs(mass - kMass) > 4 * error) {
      Error("zfit", "mass %g +- %g, generated %g", mass, error, kMass);
      return 2;
   }

   gSystem->mkdir(outdir, true);
   std::ofstream json(std::string(outdir) + "/zfit.json");
   json << std::setprecision(10) << "{\n  \"entries\": " << h.GetEntries() << ",\n  \"mass\": " << mass
        << ",\n  \"mass_error\": " << error << ",\n  \"chi2\": " << fit->Chi2() << ",\n  \"ndf\": " << fit->Ndf()
        << "\n}\n";
   TFile file((std::string(outdir) + "/zfit.root").c_str(), "RECREATE");
   return json.good() && file.WriteObject(&h, "m") > 0 ? 0 : 3;
}
